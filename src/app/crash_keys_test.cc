// Of the crash test: the keyring, what opens it, and the rows of the vault (S2-10, S2-11).
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/backups.h"
#include "app/crash_home.h"
#include "control/backup/desk.h"
#include "control/control_plane.h"
#include "control/wrapped_rows.h"
#include "crypto/api_key.h"
#include "crypto/sealed_record.h"
#include "engines/token/key_ring.h"

#ifdef SALLYPORT_FAULTS
namespace sallyport::app::crash {
namespace {

namespace fs = std::filesystem;

// A first keyring: there is none, or one that opens. What is there of it is taken up by the next try.
Scenario founding() {
  const auto found = [](const std::string& home) -> Result<void> {
    SystemRandom random;
    const SystemClock clock;
    if (crypto::Keyring::open(home, by_file())) return {};
    auto root = crypto::root_of_old_home(home);
    SP_CHECK(crypto::Keyring::create(home, by_file(), root ? std::optional(std::move(*root)) : std::nullopt, random,
                                     clock.wall()));
    return {};
  };
  return {"a first keyring", [](const std::string& home) { fs::create_directories(home); },
          [found](const std::string& home) { return found(home).has_value(); },
          [found](const std::string& home) {
            const auto good = found(home);
            EXPECT_TRUE(good) << good.error().detail;
            say(home, "one");
            EXPECT_EQ(word_of(home), "one");
          }};
}

// The key-encryption key turns: every data key is wrapped anew, two at a time, then the old key is destroyed.
Result<void> turn(const std::string& home, bool again) {
  Opened opened;
  SP_CHECK(open(home, opened));
  if (!again) SP_CHECK(opened.ring->rotate(opened.random, opened.clock.wall()));
  opened.keys->wrapping().replace(opened.ring->wrapping());
  std::optional<control::Vault::Position> from = control::Vault::Position{};
  while (from) {
    SP_TRY(from, opened.vault->rewrap(*from, 2));
  }
  SP_CHECK(opened.ring->drop_retired({}, opened.random));
  return {};
}

Scenario turning() {
  return {"a rotation of the key-encryption key", make_home,
          [](const std::string& home) { return turn(home, false).has_value(); },
          [](const std::string& home) {
            EXPECT_EQ(word_of(home), "one");
            const auto finished = turn(home, true);
            EXPECT_TRUE(finished) << finished.error().detail;
            EXPECT_EQ(word_of(home), "one");
            Opened opened;
            ASSERT_TRUE(open(home, opened));
            EXPECT_EQ(opened.ring->wrapping().size(), 1U);
          }};
}

crypto::Binding place_of(const control::StoredExchangeKey& key) { return {"exchange_keys", key.id, "private", 1}; }

// The desk's own turn, when the key in force is too old: rows of the vault, the key exchange and the backups, as app has them.
Result<std::vector<std::uint32_t>> maintain(const std::string& home) {
  Opened opened;
  SP_CHECK(open(home, opened));
  FakeClock clock;
  set_ahead(clock, std::chrono::hours(31 * 24));
  control::KeyExchange exchange(opened.store->vault(), *opened.keys, opened.random, clock, nullptr, nullptr);
  SP_CHECK(exchange.load({}));
  SP_CHECK(opened.store->put_meta("vault_sealed", "0"));
  backup::Desk backups(places_in(home), backup_tools(clock, opened.random, &*opened.keys), {}, nullptr);
  control::KeyDesk desk(*opened.keys, std::move(*opened.ring), *opened.store, opened.random, clock, {.home = home});
  desk.add_rows(control::rows_of(*opened.vault, 2));
  desk.add_rows(control::rows_of(exchange));
  desk.add_rows({[] {}, [] { return Result<bool>(false); }, [&] { return backups.keys_in_use(); }});
  const auto done = await(desk.maintain());
  backups.stop();
  if (!done) return fail(done.error());
  std::vector<std::uint32_t> ids;
  for (const auto& key : desk.status().keys) ids.push_back(key.id);
  return ids;
}

void add_exchange_key(const std::string& home) {
  Opened opened;
  ASSERT_TRUE(open(home, opened));
  const auto generate = [](unsigned bits) -> Task<Result<std::shared_ptr<crypto::RsaKey>>> {
    SP_CO_TRY(auto key, crypto::RsaKey::generate(bits));
    co_return std::make_shared<crypto::RsaKey>(std::move(key));
  };
  control::KeyExchange exchange(opened.store->vault(), *opened.keys, opened.random, opened.clock, generate,
                                [](const std::string&, const std::string&) {});
  ASSERT_TRUE(exchange.load({.bits = 2048}));
  ASSERT_TRUE(await(exchange.current()));
}

void expect_exchange_key(const std::string& home) {
  Opened opened;
  ASSERT_TRUE(open(home, opened));
  const auto stored = opened.store->vault().load_exchange_keys();
  ASSERT_TRUE(stored && stored->size() == 1);
  const auto& key = stored->front();
  EXPECT_TRUE(crypto::open_record(*opened.keys, {key.sealed.wrapped_key, key.sealed.ciphertext}, place_of(key)));
}

// Every secret, the key exchange and the backup open however far it came; the next tick goes on, and turns no second time. The
// old key stays where a backup needs it, and only there.
Scenario turning_by_age(bool with_backup) {
  return {with_backup ? "a rotation by age, beside a backup" : "a rotation by age",
          [with_backup](const std::string& home) {
            make_home(home);
            add_exchange_key(home);
            if (with_backup) ASSERT_TRUE(back_up(home, {}));
          },
          [](const std::string& home) { return maintain(home).has_value(); },
          [with_backup](const std::string& home) {
            const std::vector<std::uint32_t> both{1, 2}, last{2};
            for (int times = 0; times < 2; ++times) {
              EXPECT_EQ(word_of(home), "one");
              expect_exchange_key(home);
              std::size_t count = 0;
              const auto good = verify_all(home, count);
              EXPECT_TRUE(good) << good.error().detail;
              EXPECT_EQ(count, with_backup ? 1U : 0U);
              const auto keys = maintain(home);
              ASSERT_TRUE(keys) << keys.error().detail;
              EXPECT_EQ(*keys, with_backup ? both : last);
            }
          }};
}

// Another source opens the keyring: the former one, or the new one, and all secrets are there.
Scenario resealing(const std::string& name, std::function<crypto::UnsealSource()> former,
                   std::function<crypto::UnsealSource()> next) {
  const auto reseal = [former, next](const std::string& home) -> Result<void> {
    SystemRandom random;
    auto ring = crypto::Keyring::open(home, former());
    if (!ring) ring = crypto::Keyring::open(home, next());
    if (!ring) return fail(ring.error());
    SP_CHECK(ring->reseal(next(), random));
    return {};
  };
  return {name,
          [former](const std::string& home) {
            make_home(home);
            SystemRandom random;
            if (former().kind == crypto::UnsealKind::file) return;
            auto ring = crypto::Keyring::open(home, by_file());
            ASSERT_TRUE(ring && ring->reseal(former(), random));
          },
          [reseal](const std::string& home) { return reseal(home).has_value(); },
          [reseal, former, next](const std::string& home) {
            std::vector<crypto::UnsealSource> sources;
            sources.push_back(next());
            sources.push_back(former());
            Opened opened;
            const auto good = open(home, opened, sources);
            ASSERT_TRUE(good) << good.error().detail;
            EXPECT_EQ(word_in(*opened.vault), "one");
            const auto again = reseal(home);
            EXPECT_TRUE(again) << again.error().detail;
            EXPECT_TRUE(crypto::Keyring::open(home, next()));
          }};
}

// A version that is destroyed opens no more, or is as it was; the others are untouched.
Scenario destroying() {
  const auto destroy = [](const std::string& home) -> Result<void> {
    Opened opened;
    SP_CHECK(open(home, opened));
    SP_CHECK(opened.vault->destroy({"", name_of(0)}, 1));
    return {};
  };
  return {"the destruction of a version",
          [](const std::string& home) {
            make_home(home);
            say(home, "two");
          },
          [destroy](const std::string& home) { return destroy(home).has_value(); },
          [](const std::string& home) {
            EXPECT_EQ(word_of(home), "two");
            Opened opened;
            ASSERT_TRUE(open(home, opened));
            const auto value = opened.vault->reveal({"", name_of(0)}, 1);
            EXPECT_TRUE(value ? value->value.reveal() == "one of s0" : value.error().code == Code::gone);
          }};
}

// The control plane of a home, and what it does with the keys that it holds.
struct Plane {
  Opened opened;
  asio::io_context io;
  std::unique_ptr<control::ControlPlane> plane;
};

Result<void> open_plane(const std::string& home, Plane& out) {
  SP_CHECK(open(home, out.opened));
  control::ControlDeps deps{.repository = *out.opened.store,
                            .keys = *out.opened.keys,
                            .clock = out.opened.clock,
                            .random = out.opened.random};
  deps.publish = [](SnapshotPtr) -> Task<void> { co_return; };
  out.plane = std::make_unique<control::ControlPlane>(out.io.get_executor(), std::move(deps));
  PolicySet policy;
  policy.modules = {{"nothing.rego", "package nothing"}};
  policy.source = "folder";
  SP_TRY(const std::string signer, out.plane->load(std::move(policy), {}));
  (void)signer;
  return {};
}

std::string api_keys_of(const std::string& home) { return home + "/api-keys-of-the-test"; }

void add_api_keys(const std::string& home) {
  Plane it;
  ASSERT_TRUE(open_plane(home, it));
  std::ofstream kept(api_keys_of(home));
  for (int i = 0; i < 3; ++i) {
    KeyRecord spec;
    spec.name = "k" + std::to_string(i);
    const auto made = await(it.plane->create_key(std::move(spec)));
    ASSERT_TRUE(made) << made.error().detail;
    kept << made->key.reveal() << "\n";
  }
}

// Each API key is good; used, it leaves a hash under the newest generation, as at a worker.
Result<void> use_api_keys(const std::string& home, const Snapshot& now) {
  std::ifstream kept(api_keys_of(home));
  std::size_t count = 0;
  for (std::string text; std::getline(kept, text); ++count) {
    const auto id = crypto::api_key_id(text);
    const auto found = now.principals->keys.find(id.value_or(""));
    if (found == now.principals->keys.end() || !now.hash_keys->matches(text, found->second->hash)) {
      return fail(Code::crypto, "an API key is good no more");
    }
    now.hash_keys->shown(*id, text, found->second->hash);
  }
  return count == 3 ? Result<void>() : fail(Code::internal, "API keys of the test");
}

// Both kinds of keys turn: the hash key of API keys, to which all go over before the former goes, and what signs tokens.
Result<void> turn_others(const std::string& home) {
  Plane it;
  SP_CHECK(open_plane(home, it));
  SP_TRY(const std::uint32_t number, await(it.plane->hash_keys().rotate()));
  (void)number;
  SP_CHECK(use_api_keys(home, *it.plane->snapshot()));
  SP_TRY(const std::size_t turned, await(it.plane->hash_keys().store_fresh()));
  SP_TRY(const std::string gone, await(it.plane->hash_keys().maintain()));
  if (turned != 3 || gone.empty()) return fail(Code::internal, "not all went over, or the former stayed");
  SP_TRY(const std::string signer, await(it.plane->token_keys().rotate(false)));
  (void)signer;
  return {};
}

// No API key ends, whichever generation its stored hash is of; a signer is there; the next turn goes through and leaves one generation.
Scenario turning_others() {
  return {"a rotation of the hash key and of the signing key",
          [](const std::string& home) {
            make_home(home);
            add_api_keys(home);
          },
          [](const std::string& home) { return turn_others(home).has_value(); },
          [](const std::string& home) {
            {
              Plane it;
              const auto opened = open_plane(home, it);
              ASSERT_TRUE(opened) << opened.error().detail;
              const auto good = use_api_keys(home, *it.plane->snapshot());
              EXPECT_TRUE(good) << good.error().detail;
              EXPECT_NE(it.plane->snapshot()->token_keys->signer(), nullptr);
            }
            const auto again = turn_others(home);
            EXPECT_TRUE(again) << again.error().detail;
            Plane it;
            ASSERT_TRUE(open_plane(home, it));
            EXPECT_TRUE(use_api_keys(home, *it.plane->snapshot()));
            EXPECT_EQ(it.plane->snapshot()->hash_keys->all().size(), 1U);
            EXPECT_EQ(word_of(home), "one");
          }};
}

}  // namespace

std::vector<Scenario> key_scenarios() {
  std::vector<Scenario> all{founding(),           turning(),    turning_by_age(false),
                            turning_by_age(true), destroying(), turning_others()};
  all.push_back(resealing("a key file gives way to a key", by_file, by_key));
  all.push_back(resealing(
      "a change of the password", [] { return by_password("staple"); }, [] { return by_password("stable"); }));
  return all;
}

}  // namespace sallyport::app::crash
#endif
