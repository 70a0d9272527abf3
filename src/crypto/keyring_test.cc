#include "crypto/keyring.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/encoding.h"
#include "core/fault_point.h"
#include "crypto/hash.h"
#include "crypto/master_key_file.h"
#include "crypto/sealed_record.h"

namespace sallyport::crypto {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPassword = "correct horse battery staple";
constexpr std::string_view kOtherPassword = "a rather different password";
constexpr std::string_view kKey = "tLoYyHD6qB8vM1wQ3kz9nR5uXc7eJ2aG4sF0iVbUdHo=";
const Binding kPlace{"t", "r", "c", 1};

UnsealSource source_of(UnsealKind kind, std::string_view secret = {}) {
  UnsealSource source;
  source.kind = kind;
  source.secret = Secret(std::string(secret));
  return source;
}

// An engine that wraps by adding what it is bound to.
class FakeEngine final : public RemoteKey {
 public:
  [[nodiscard]] std::string mount() const override { return "teams/transit"; }
  [[nodiscard]] std::string key() const override { return name; }
  Result<std::string> wrap(const Secret& plain, std::string_view place) override {
    return "vault:v1:" + std::string(place) + "|" + std::string(plain.reveal());
  }
  Result<Secret> unwrap(std::string_view wrapped, std::string_view place) override {
    const std::string bound = "vault:v1:" + std::string(place) + "|";
    if (away) return fail(Code::config, "it is away; fix: start it");
    if (!wrapped.starts_with(bound)) return fail(Code::config, "it does not open");
    return Secret(std::string(wrapped.substr(bound.size())) + more);
  }
  std::string name = "sallyport";
  std::string more;
  bool away = false;
};

class KeyringTest : public ::testing::Test {
 protected:
  KeyringTest() {
    std::string pattern = (fs::temp_directory_path() / "sallyport-keyring-XXXXXX").string();
    home_ = ::mkdtemp(pattern.data());
  }
  ~KeyringTest() override { fs::remove_all(home_); }

  Keyring made(const UnsealSource& source) {
    auto ring = Keyring::create(home_, source, std::nullopt, random_, now_);
    EXPECT_TRUE(ring.has_value()) << ring.error().detail;
    return std::move(*ring);
  }
  [[nodiscard]] std::string refusal(const UnsealSource& source) const {
    const auto ring = Keyring::open(home_, source);
    return ring ? "" : ring.error().detail;
  }
  [[nodiscard]] fs::path file() const { return home_ / "keys" / "keyring"; }
  [[nodiscard]] fs::path key_file() const { return home_ / "keys" / "master.key"; }
  [[nodiscard]] std::string bytes() const {
    std::ostringstream text;
    text << std::ifstream(file(), std::ios::binary).rdbuf();
    return text.str();
  }
  void write(std::string_view content) const { std::ofstream(file(), std::ios::binary | std::ios::trunc) << content; }

  fs::path home_;
  SystemRandom random_;
  WallTime now_{std::chrono::seconds(1'790'000'000)};
};

TEST_F(KeyringTest, AKeyFileIsMadeAndOpensIt) {
  const Keyring ring = made(source_of(UnsealKind::file));
  struct stat info{};
  ASSERT_EQ(::stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  const auto again = Keyring::open(home_, source_of(UnsealKind::file));
  ASSERT_TRUE(again.has_value()) << again.error().detail;
  EXPECT_EQ(again->id(), ring.id());
  EXPECT_EQ(again->store()->fingerprint(), ring.store()->fingerprint());
  EXPECT_EQ(again->store()->wrapping_key(), 1U);
  EXPECT_EQ(std::distance(fs::directory_iterator(home_ / "keys"), fs::directory_iterator()), 2) << "a draft was left";
}

TEST_F(KeyringTest, TheKeyFileIsNeitherTheRootNorAKeyOfTheRing) {  // no key has two uses
  const Keyring ring = made(source_of(UnsealKind::file));
  const Secret in_file = read_master_key(key_file()).value();
  EXPECT_NE(KeyStore::from_master(in_file.clone())->fingerprint(), ring.store()->fingerprint());
  EXPECT_NE(as_text(ring.wrapping().back().key->bytes()), in_file.reveal());
}

TEST_F(KeyringTest, TheRootOfAnOldHomeStays) {
  const Secret old(std::string(as_text(sha256("an old home"))));
  ASSERT_TRUE(write_master_key(key_file(), old, random_).has_value());
  const auto before = KeyStore::open(home_).value();
  auto root = root_of_old_home(home_);
  ASSERT_TRUE(root.has_value());
  const auto ring = Keyring::create(home_, source_of(UnsealKind::file), std::move(*root), random_, now_);
  ASSERT_TRUE(ring.has_value()) << ring.error().detail;
  const auto after = ring->store().value();
  EXPECT_EQ(after.fingerprint(), before.fingerprint());
  for (std::size_t i = 0; i < static_cast<std::size_t>(Purpose::count_); ++i) {
    const auto purpose = static_cast<Purpose>(i);
    EXPECT_TRUE(std::ranges::equal(after.key(purpose), before.key(purpose))) << i;
  }
}

TEST_F(KeyringTest, APasswordOpensItAndAnotherDoesNot_S2_10_S2_12_S2_31) {
  const Keyring ring = made(source_of(UnsealKind::password, kPassword));
  EXPECT_FALSE(fs::exists(key_file()));
  EXPECT_NE(bytes().find("\nunseal password $scrypt$ln=17,r=8,p=1$"), std::string::npos);
  EXPECT_EQ(refusal(source_of(UnsealKind::password, kPassword)), "");
  const std::string before = bytes();
  const std::string wrong = refusal(source_of(UnsealKind::password, kOtherPassword));
  EXPECT_NE(wrong.find("the vault's password is wrong"), std::string::npos) << wrong;
  EXPECT_NE(wrong.find("fix: "), std::string::npos);
  EXPECT_EQ(bytes(), before);
}

TEST_F(KeyringTest, RefusesPasswordsThatAreShortOrKnown_S2_10) {
  for (const std::string_view bad : {"", "short", "elevenbytes", "aaaaaaaaaaaaaaaa", "changeme-changeme"}) {
    EXPECT_EQ(Keyring::create(home_, source_of(UnsealKind::password, bad), std::nullopt, random_, now_).error().code,
              Code::config)
        << bad;
  }
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(KeyringTest, AKeyOfTheEnvironmentOpensIt_C26) {
  made(source_of(UnsealKind::environment, kKey));
  EXPECT_FALSE(fs::exists(key_file()));
  std::string as_url(kKey);
  while (as_url.ends_with('=')) as_url.pop_back();
  EXPECT_EQ(refusal(source_of(UnsealKind::environment, as_url)), "");
  std::string other(kKey);
  other[3] = 'Z';
  EXPECT_NE(refusal(source_of(UnsealKind::environment, other)).find("does not open keys/keyring; fix: "),
            std::string::npos);
  EXPECT_NE(refusal(source_of(UnsealKind::environment, "c2hvcnQ=")).find("is not 32 bytes in base64"),
            std::string::npos);
}

TEST_F(KeyringTest, AnotherKindOfSourceIsRefusedAndTheFixNamed) {
  made(source_of(UnsealKind::environment, kKey));
  const std::string text = refusal(source_of(UnsealKind::file));
  EXPECT_NE(text.find("another source (environment)"), std::string::npos) << text;
  EXPECT_NE(text.find("fix: set encryption.key (ENCRYPTION_KEY)"), std::string::npos) << text;
}

TEST_F(KeyringTest, IsNeverMadeTwice) {
  made(source_of(UnsealKind::file));
  const std::string before = bytes();
  EXPECT_EQ(Keyring::create(home_, source_of(UnsealKind::file), std::nullopt, random_, now_).error().code,
            Code::already_exists);
  EXPECT_EQ(bytes(), before);
}

TEST_F(KeyringTest, DetectsEveryFlippedBit) {
  made(source_of(UnsealKind::file));
  const std::string good = bytes();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string changed = good;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    write(changed);
    ASSERT_FALSE(Keyring::open(home_, source_of(UnsealKind::file)).has_value()) << bit;
  }
  write(good);
  EXPECT_EQ(refusal(source_of(UnsealKind::file)), "");
}

TEST_F(KeyringTest, RefusesEveryCutAndWidePermissions) {
  made(source_of(UnsealKind::file));
  const std::string good = bytes();
  for (std::size_t size = 0; size < good.size(); ++size) {
    write(good.substr(0, size));
    ASSERT_FALSE(Keyring::open(home_, source_of(UnsealKind::file)).has_value()) << size;
  }
  write(good);
  ::chmod(file().c_str(), 0640);
  EXPECT_NE(refusal(source_of(UnsealKind::file)).find("fix: chmod 600"), std::string::npos);
}

TEST_F(KeyringTest, ALaterVersionIsRefusedAsSuch) {
  made(source_of(UnsealKind::file));
  std::string later = bytes();
  later.replace(0, 19, "sallyport-keyring 2");
  write(later);
  EXPECT_NE(refusal(source_of(UnsealKind::file)).find("a version or an algorithm that this program does not know"),
            std::string::npos);
}

TEST_F(KeyringTest, RotatesAndDropsWhatNothingNames) {
  Keyring ring = made(source_of(UnsealKind::file));
  KeyStore store = ring.store().value();
  const SealedRecord old = seal_record(store, "kept", kPlace, random_).value();
  ASSERT_TRUE(ring.rotate(random_, now_ + std::chrono::hours(1)).has_value());
  const std::vector<std::uint32_t> in_use{1};
  EXPECT_EQ(ring.drop_retired(in_use, random_).value(), 0U);
  Keyring again = Keyring::open(home_, source_of(UnsealKind::file)).value();
  EXPECT_EQ(again.generation(), 2U);
  ASSERT_EQ(again.wrapping().size(), 2U);
  EXPECT_EQ(again.wrapping().front().retired_at, now_ + std::chrono::hours(1));
  store = again.store().value();
  EXPECT_EQ(store.wrapping_key(), 2U);
  EXPECT_EQ(open_record(store, old, kPlace)->reveal(), "kept");
  EXPECT_EQ(again.drop_retired({}, random_).value(), 1U);
  store = Keyring::open(home_, source_of(UnsealKind::file))->store().value();
  EXPECT_EQ(store.wrapping_key(), 2U);
  EXPECT_FALSE(open_record(store, old, kPlace).has_value());
}

TEST_F(KeyringTest, ChangesItsSourceAndKeepsItsKeys) {
  Keyring ring = made(source_of(UnsealKind::file));
  const SealedRecord record = seal_record(*ring.store(), "kept", kPlace, random_).value();
  ASSERT_TRUE(ring.reseal(source_of(UnsealKind::password, kPassword), random_).has_value());
  EXPECT_FALSE(fs::exists(key_file())) << "the old source still lies there";
  EXPECT_NE(refusal(source_of(UnsealKind::file)), "");
  ASSERT_TRUE(ring.reseal(source_of(UnsealKind::environment, kKey), random_).has_value());
  EXPECT_NE(refusal(source_of(UnsealKind::password, kPassword)), "");
  const auto again = Keyring::open(home_, source_of(UnsealKind::environment, kKey));
  ASSERT_TRUE(again.has_value()) << again.error().detail;
  EXPECT_EQ(again->id(), ring.id());
  EXPECT_EQ(open_record(*again->store(), record, kPlace)->reveal(), "kept");
}

// The source has changed all the same: who heard an error would go on with the old one.
TEST_F(KeyringTest, AKeyFileThatCannotBeRemovedIsSaidAndNoFailure) {
  Keyring ring = made(source_of(UnsealKind::file));
  fs::remove(key_file());
  fs::create_directory(key_file());
  const auto left = ring.reseal(source_of(UnsealKind::environment, kKey), random_);
  ASSERT_TRUE(left.has_value()) << left.error().detail;
  EXPECT_NE(left->find("cannot remove"), std::string::npos) << *left;
  EXPECT_EQ(ring.opened_by(), UnsealKind::environment);
  fs::remove(key_file());
  EXPECT_EQ(refusal(source_of(UnsealKind::environment, kKey)), "");
  EXPECT_EQ(ring.reseal(source_of(UnsealKind::environment, kKey), random_).value(), "");
}

TEST_F(KeyringTest, ARefusedPasswordChangesNothing) {
  Keyring ring = made(source_of(UnsealKind::file));
  const std::string before = bytes();
  EXPECT_FALSE(ring.reseal(source_of(UnsealKind::password, "short"), random_).has_value());
  EXPECT_EQ(bytes(), before);
  EXPECT_EQ(refusal(source_of(UnsealKind::file)), "");
}

TEST_F(KeyringTest, SealedItsStoreHasThePurposesAlone) {
  const Keyring ring = made(source_of(UnsealKind::file));
  const auto shut = ring.store(true).value();
  EXPECT_EQ(shut.wrapping_key(), 0U);
  EXPECT_EQ(shut.fingerprint(), ring.store()->fingerprint());
}

TEST_F(KeyringTest, ATransitEngineOpensItAndNothingElse_S2_14) {
  const auto engine = std::make_shared<FakeEngine>();
  UnsealSource source = source_of(UnsealKind::transit);
  EXPECT_NE(Keyring::create(home_, source, std::nullopt, random_, now_).error().detail.find("transit_url is not set"),
            std::string::npos);
  source.remote = engine;
  const Keyring ring = made(source);
  EXPECT_EQ(ring.opened_by(), UnsealKind::transit);
  EXPECT_FALSE(fs::exists(key_file()));
  EXPECT_EQ(refusal(source), "");
  EXPECT_NE(refusal(source_of(UnsealKind::file)).find("set encryption.transit_url"), std::string::npos);
  engine->away = true;
  EXPECT_EQ(refusal(source), "it is away; fix: start it");
  engine->away = false;
  engine->more = "x";  // 33 bytes
  EXPECT_NE(refusal(source).find("is no key of ours"), std::string::npos);
  engine->more.clear();
  engine->name = "another";
  EXPECT_NE(refusal(source).find("sealed by another key than encryption.transit_mount"), std::string::npos);
}

TEST_F(KeyringTest, AnEngineThatDoesNotGiveBackWhatItWrappedSealsNothing) {
  const auto engine = std::make_shared<FakeEngine>();
  UnsealSource source = source_of(UnsealKind::transit);
  source.remote = engine;
  Keyring ring = made(source_of(UnsealKind::file));
  engine->more = "x";
  EXPECT_NE(ring.reseal(source, random_).error().detail.find("does not give back what it wrapped"), std::string::npos);
  EXPECT_EQ(refusal(source_of(UnsealKind::file)), "");
  engine->more.clear();
  ASSERT_TRUE(ring.reseal(source, random_).has_value());
  EXPECT_EQ(refusal(source), "");
  EXPECT_NE(refusal(source_of(UnsealKind::file)), "");
}

}  // namespace
}  // namespace sallyport::crypto
