// A gateway's worth of users and keys for the tests, the fuzz target and the bench of this module. Tests only.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/encoding.h"
#include "crypto/api_key.h"
#include "crypto/hash.h"
#include "request/identity/identity.h"

namespace sallyport::testing {

inline constexpr WallTime kNow{std::chrono::seconds{1'790'000'000}};

class World {
 public:
  World() {
    user_.id = "00112233aabbccdd";
    user_.name = "alice";
    user_.roles = {"user"};
    key_.id = made_.id;
    key_.hash = made_.hash;
    key_.name = "ci";
    open("sid-1", "user:" + user_.id);
    open("sid-2", "key:" + key_.id);
  }

  void open(std::string id, std::string owner) {
    auto session = std::make_shared<LoginSession>();
    session->id = id;
    session->owner = std::move(owner);
    session->key_secret = session->owner.starts_with("key:") ? 1 : 0;
    session->client = {"192.0.2.1", "agent/1"};
    session->created_at = kNow;
    session->expires_at = kNow + std::chrono::hours(12);
    session->touch(kNow);
    change_sessions([&](LoginSessions& all) { all.by_id[id] = session; });
  }
  template <class F>
  void change_sessions(F change) {
    auto next = std::make_shared<LoginSessions>(*sessions_);
    change(*next);
    sessions_ = std::move(next);
  }

  // The records as they stand, as a new principals part.
  [[nodiscard]] Snapshot snapshot() const {
    auto principals = std::make_shared<Principals>();
    principals->users[user_.id] = std::make_shared<const UserRecord>(user_);
    principals->user_ids[user_.name] = user_.id;
    principals->keys[key_.id] = std::make_shared<const KeyRecord>(key_);
    principals->revoked_tokens = revoked_;
    Snapshot out;
    out.principals = std::move(principals);
    out.sessions = sessions_;
    out.token_keys = ring_;
    out.hash_keys = hash_keys_;
    return out;
  }

  [[nodiscard]] std::string token(token::TokenClaims claims) const { return codec_.issue(ring_.get(), claims).value(); }
  [[nodiscard]] std::string token() const { return token(claims()); }
  [[nodiscard]] static token::TokenClaims claims() {
    return {.user_id = "00112233aabbccdd",
            .session_id = "sid-1",
            .roles = {"user"},
            .id = "jti-1",
            .issued_at = kNow,
            .not_before = kNow,
            .expires_at = kNow + std::chrono::minutes(30)};
  }
  // What POST /auth/api-key-login gives for the key.
  [[nodiscard]] std::string minted() const {
    token::TokenClaims of_key = claims();
    of_key.user_id = key_.id;
    of_key.of_key = true;
    of_key.session_id = "sid-2";
    return token(of_key);
  }
  [[nodiscard]] std::string key() const { return std::string(made_.key.reveal()); }

  crypto::KeyStore keys_ =
      crypto::KeyStore::from_master(Secret(std::string(as_text(crypto::sha256("identity tests"))))).value();
  std::shared_ptr<const token::KeyRing> ring_ = std::make_shared<const token::KeyRing>(std::vector<token::RingKey>{
      {.id = "",
       .key = std::make_shared<const crypto::JwsKey>(
           crypto::JwsKey::from_secret(keys_.key(crypto::Purpose::token_signing)).value())}});
  token::TokenCodec codec_{{}};
  SystemRandom random_;
  std::shared_ptr<const crypto::HashKeys> hash_keys_ = crypto::HashKeys::first_of(keys_);
  crypto::NewApiKey made_ = crypto::make_api_key(*hash_keys_, random_);
  UserRecord user_;
  KeyRecord key_;
  std::map<std::string, WallTime, std::less<>> revoked_;
  std::shared_ptr<const LoginSessions> sessions_ = std::make_shared<const LoginSessions>();
  Identity identity_{codec_};
};

}  // namespace sallyport::testing
