// A store of one user, for the tests of passwords and accounts. Tests only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "control/accounts.h"
#include "control/login_desk_test_support.h"
#include "core/await_test_support.h"
#include "core/encoding.h"
#include "crypto/hash.h"
#include "crypto/key_store.h"
#include "crypto/password.h"

namespace sallyport::control::testing {

inline constexpr WallTime kNow{std::chrono::seconds{1'790'000'000}};
inline constexpr std::string_view kPassword = "Correct-horse-battery-7";

inline const std::string& stored_hash() {
  static const std::string hash = crypto::hash_password(kPassword).value();
  return hash;
}
inline const std::shared_ptr<const token::KeyRing>& ring() {
  static const auto made = [] {
    auto key = std::make_shared<const crypto::JwsKey>(
        crypto::JwsKey::from_secret(as_bytes("a secret of the accounts tests, 32+")).value());
    return std::make_shared<const token::KeyRing>(std::vector<token::RingKey>{{.id = "", .key = std::move(key)}});
  }();
  return made;
}

class FakeStore final : public AccountStore {
 public:
  FakeStore() {
    UserRecord user;
    user.id = "00112233aabbccdd";
    user.name = "admin-alice";
    user.roles = {"admin"};
    user.password_hash = stored_hash();
    user.password_set_at = kNow;
    put(user);
  }
  void put(const UserRecord& user) {
    auto principals = std::make_shared<Principals>();
    principals->user_ids[user.name] = user.id;
    principals->users[user.id] = std::make_shared<const UserRecord>(user);
    auto next = std::make_shared<Snapshot>();
    next->principals = std::move(principals);
    next->token_keys = ring();
    snapshot_ = std::move(next);
  }
  [[nodiscard]] UserRecord user() const { return *snapshot_->principals->users.begin()->second; }
  SnapshotPtr snapshot() const override { return snapshot_; }
  Task<Result<void>> save(UserRecord user) override {
    if (fails) co_return fail(Code::storage, "disk full");
    ++saves;
    put(user);
    co_return Result<void>();
  }

  int saves = 0;
  bool fails = false;

 private:
  SnapshotPtr snapshot_;
};

struct World {
  crypto::KeyStore keys =
      crypto::KeyStore::from_master(Secret(std::string(as_text(crypto::sha256("accounts tests"))))).value();
  token::TokenCodec tokens{{}};
  SystemRandom random;
  FakeClock clock;  // at kNow
  PasswordPool pool{{.threads = 1, .queued_max = 4}};
  FakeStore store;
  FakeSessions kept;
  std::shared_ptr<const LoginSessions> published = std::make_shared<const LoginSessions>();
  LoginDesk desk{kept, keys, random, [this](std::shared_ptr<const LoginSessions> sessions) -> Task<Result<void>> {
                   published = std::move(sessions);
                   co_return Result<void>();
                 }};
  SecondFactors factors{store, keys, random, {.required_roles = {"auditor"}}};
  Accounts accounts{store, desk, tokens, pool, factors, random, clock};

  Result<TokenAnswer> login(std::string_view password, std::string name = "admin-alice", WallTime now = kNow,
                            std::string address = "192.0.2.1") {
    return await(
        accounts.login(std::move(name), Secret(std::string(password)), ClientMark{std::move(address), "agent/1"}, now));
  }
  [[nodiscard]] PrincipalPtr principal() const {
    auto out = std::make_shared<Principal>();
    out->id = "user:" + store.user().id;
    out->name = store.user().name;
    out->issued_at = kNow + std::chrono::hours(24);  // after whatever ended the tokens of before
    return out;
  }
  Result<TokenAnswer> refresh(std::string_view token, WallTime now = kNow) {
    return await(accounts.refresh(Secret(std::string(token)), {"192.0.2.1", "agent/1"}, now));
  }
  Result<void> change(std::string_view from, std::string_view to, WallTime now = kNow) {
    return await(
        accounts.change_password(principal(), Secret(std::string(from)), Secret(std::string(to)), "192.0.2.1", now));
  }
};

}  // namespace sallyport::control::testing
