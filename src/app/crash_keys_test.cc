// Of the crash test: the keyring, what opens it, and the rows of the vault (S2-10, S2-11).
#include <gtest/gtest.h>

#include <filesystem>

#include "app/backups.h"
#include "app/crash_home.h"
#include "control/backup/desk.h"
#include "control/wrapped_rows.h"
#include "crypto/sealed_record.h"

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

}  // namespace

std::vector<Scenario> key_scenarios() {
  std::vector<Scenario> all{founding(), turning(), turning_by_age(false), turning_by_age(true), destroying()};
  all.push_back(resealing("a key file gives way to a key", by_file, by_key));
  all.push_back(resealing(
      "a change of the password", [] { return by_password("staple"); }, [] { return by_password("stable"); }));
  return all;
}

}  // namespace sallyport::app::crash
#endif
