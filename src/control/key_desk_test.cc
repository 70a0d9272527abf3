// S2-11: the key-encryption keys turn, resume, and are destroyed only when nothing names them.
#include "control/key_desk.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <latch>
#include <map>

#include "control/repository_test_support.h"
#include "core/await_test_support.h"
#include "core/encoding.h"
#include "crypto/sealed_record.h"

namespace sallyport::control {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Metas : public testing::NoRepository {
 public:
  Result<void> put_meta(std::string_view name, std::string_view value) override {
    if (fails) return fail(Code::storage, "disk full");
    kept[std::string(name)] = value;
    return {};
  }
  Result<std::optional<std::string>> get_meta(std::string_view name) override {
    const auto found = kept.find(name);
    return found == kept.end() ? std::optional<std::string>() : found->second;
  }
  std::map<std::string, std::string, std::less<>> kept;
  bool fails = false;
};

// Rows of sealed values, wrapped anew two at a time as the vault does it.
class Rows {
 public:
  explicit Rows(const crypto::KeyStore& keys) : keys_(keys) {}

  void add(std::string value) {
    rows_.push_back(crypto::seal_record(keys_, value, place(rows_.size()), random_).value());
    values_.push_back(std::move(value));
  }
  WrappedRows as_rows() {
    return {[this] { at_ = 0; }, [this] { return step(); }, [this] { return in_use(); }};
  }
  [[nodiscard]] bool all_open() const {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const auto plain = crypto::open_record(keys_, rows_[i], place(i));
      if (!plain || plain->reveal() != values_[i]) return false;
    }
    return true;
  }
  unsigned steps = 0;
  unsigned fail_at = 0;  // this step, from 1; 0: none

 private:
  static crypto::Binding place(std::size_t i) { return {"t", "row", "c", i}; }
  Result<bool> step() {
    if (++steps == fail_at) return fail(Code::storage, "disk full");
    for (int n = 0; n < 2 && at_ < rows_.size(); ++n, ++at_) {
      SP_TRY(rows_[at_].wrapped_key, crypto::rewrap_record(keys_, rows_[at_].wrapped_key, place(at_), random_));
    }
    return at_ < rows_.size();
  }
  Result<std::vector<std::uint32_t>> in_use() const {
    std::vector<std::uint32_t> found;
    for (const auto& row : rows_) found.push_back(crypto::WrappingKeys::named_by(row.wrapped_key).value());
    return found;
  }

  const crypto::KeyStore& keys_;
  SystemRandom random_;
  std::vector<crypto::SealedRecord> rows_;
  std::vector<std::string> values_;
  std::size_t at_ = 0;
};

class KeyDeskTest : public ::testing::Test {
 protected:
  KeyDeskTest() {
    std::string pattern = (fs::temp_directory_path() / "sallyport-desk-XXXXXX").string();
    home_ = ::mkdtemp(pattern.data());
    auto ring = crypto::Keyring::create(home_, {}, std::nullopt, random_, clock_.wall()).value();
    keys_.emplace(ring.store().value());
    desk_ = make(std::move(ring));
    for (const char* value : {"one", "two", "three", "four", "five"}) rows_->add(value);
  }
  ~KeyDeskTest() override { fs::remove_all(home_); }

  std::unique_ptr<KeyDesk> make(crypto::Keyring ring, bool enabled = true) {
    KeyDeskRules rules;
    rules.home = home_;
    rules.enabled = enabled;
    rules.source = [this] { return source_(); };
    auto desk = std::make_unique<KeyDesk>(*keys_, std::move(ring), metas_, random_, clock_, std::move(rules));
    if (!rows_) rows_.emplace(*keys_);
    desk->add_rows(rows_->as_rows());
    return desk;
  }
  // As after kill -9: what is on the disk, and nothing else.
  void start_again(bool enabled = true) {
    auto ring = crypto::Keyring::open(home_, {}).value();
    keys_->wrapping().replace(ring.wrapping());
    desk_ = make(std::move(ring), enabled);
  }

  fs::path home_;
  std::function<crypto::UnsealSource()> source_ = [] { return crypto::UnsealSource{}; };
  SystemRandom random_;
  FakeClock clock_;
  Metas metas_;
  std::optional<crypto::KeyStore> keys_;
  std::optional<Rows> rows_;
  std::unique_ptr<KeyDesk> desk_;
};

TEST_F(KeyDeskTest, ATurnWrapsEveryRowAnewAndDestroysTheOldKey_S2_11) {
  EXPECT_EQ(await(desk_->rotate()).value(), 2U);
  const auto status = desk_->status();
  ASSERT_EQ(status.keys.size(), 1U);
  EXPECT_EQ(status.keys.back().id, 2U);
  EXPECT_EQ(status.keys.back().key, nullptr) << "a status shows no key";
  EXPECT_EQ(keys_->wrapping_key(), 2U);
  EXPECT_TRUE(rows_->all_open());
  start_again();
  EXPECT_TRUE(rows_->all_open());
}

// What does not open is told once, shown until it is mended, and keeps the key that it may need.
TEST_F(KeyDeskTest, NamesWhatIsDamagedAndKeepsItsKey_S2_11) {
  std::vector<std::string> damaged{"secret a, version 1"};
  desk_->add_rows(
      {[] {}, [] { return Result<bool>(false); },
       [&] { return Result<std::vector<std::uint32_t>>(std::vector<std::uint32_t>(damaged.empty() ? 0U : 1U, 1U)); },
       [&] { return damaged; }});
  EXPECT_EQ(await(desk_->rotate()).value(), 2U);
  EXPECT_TRUE(rows_->all_open());
  EXPECT_EQ(desk_->status().keys.size(), 2U);
  EXPECT_EQ(desk_->status().damaged, damaged);
  EXPECT_EQ(desk_->damage_to_tell(), damaged);
  EXPECT_TRUE(desk_->damage_to_tell().empty());
  damaged.clear();
  clock_.advance(2h);
  EXPECT_EQ(await(desk_->maintain()).value(), "1 retired and destroyed");
  EXPECT_TRUE(desk_->status().damaged.empty());
  EXPECT_EQ(desk_->status().keys.size(), 1U);
}

TEST_F(KeyDeskTest, TurnsByAgeAndNotBefore_S2_11) {
  clock_.advance(30 * 24h - 1s);
  EXPECT_EQ(await(desk_->maintain()).value(), "");
  clock_.advance(1s);
  EXPECT_EQ(await(desk_->maintain()).value(), "key 2 is in force; 1 retired and destroyed");
  EXPECT_EQ(await(desk_->maintain()).value(), "");
  EXPECT_TRUE(rows_->all_open());
}

TEST_F(KeyDeskTest, ATurnThatWasInterruptedGoesOn) {
  rows_->fail_at = 2;
  EXPECT_EQ(await(desk_->rotate()).error().code, Code::storage);
  EXPECT_EQ(desk_->status().keys.size(), 2U);
  EXPECT_TRUE(rows_->all_open()) << "half is wrapped by each";
  start_again();
  EXPECT_TRUE(rows_->all_open());
  EXPECT_EQ(await(desk_->maintain()).value(), "1 retired and destroyed");
  EXPECT_TRUE(rows_->all_open());
}

TEST_F(KeyDeskTest, AKeyThatARowStillNamesStays) {
  desk_->add_rows({[] {}, [] { return Result<bool>(false); },
                   [] { return Result<std::vector<std::uint32_t>>(std::vector<std::uint32_t>{1}); }});
  EXPECT_TRUE(await(desk_->rotate()).has_value());
  EXPECT_EQ(desk_->status().keys.size(), 2U);
  const unsigned steps = rows_->steps;
  EXPECT_EQ(await(desk_->maintain()).value(), "");
  EXPECT_EQ(rows_->steps, steps) << "rows are not gone through every minute";
  clock_.advance(1h);
  EXPECT_EQ(await(desk_->maintain()).value(), "");
  EXPECT_GT(rows_->steps, steps);
}

TEST_F(KeyDeskTest, NothingIsDestroyedWhereItIsNotKnownWhatIsNeeded) {
  desk_->add_rows({[] {}, [] { return Result<bool>(false); },
                   []() -> Result<std::vector<std::uint32_t>> { return fail(Code::conflict, "one is unreadable"); }});
  EXPECT_EQ(await(desk_->rotate()).error().code, Code::conflict);
  EXPECT_EQ(desk_->status().keys.size(), 2U);
  const unsigned steps = rows_->steps;
  EXPECT_EQ(await(desk_->maintain()).value(), "");
  EXPECT_EQ(rows_->steps, steps) << "nor is it asked every minute";
  clock_.advance(1h);
  EXPECT_EQ(await(desk_->maintain()).error().code, Code::conflict);
  EXPECT_EQ(desk_->status().keys.size(), 2U);
}

TEST_F(KeyDeskTest, SealedItHasNoKeysAndARestartFindsItSo) {
  ASSERT_TRUE(desk_->seal().has_value());
  EXPECT_FALSE(rows_->all_open());
  EXPECT_TRUE(desk_->status().sealed);
  EXPECT_EQ(await(desk_->rotate()).error().code, Code::conflict);
  EXPECT_EQ(await(desk_->maintain()).value(), "");
  start_again();
  EXPECT_TRUE(desk_->status().sealed);
  EXPECT_EQ(keys_->wrapping_key(), 0U);
  ASSERT_TRUE(await(desk_->unseal()).has_value());
  EXPECT_TRUE(rows_->all_open());
  start_again();
  EXPECT_TRUE(rows_->all_open());
}

// An emergency: the keys go first, and that the next start finds it open is said.
TEST_F(KeyDeskTest, ASealThatTheDatabaseDoesNotTakeDropsTheKeysAndSaysWhatItIsNot_S2_10) {
  metas_.fails = true;
  const auto sealed = desk_->seal();
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, Code::storage);
  EXPECT_NE(sealed.error().detail.find("sealed in memory until the next start; not durable"), std::string::npos);
  EXPECT_NE(sealed.error().detail.find("disk full; fix: "), std::string::npos);
  EXPECT_TRUE(desk_->status().sealed);
  EXPECT_EQ(keys_->wrapping_key(), 0U);
  EXPECT_FALSE(rows_->all_open());
  metas_.fails = false;
  ASSERT_TRUE(desk_->seal().has_value());
  start_again();
  EXPECT_TRUE(desk_->status().sealed);
}

// A source that answers when the test lets it.
class SlowEngine : public crypto::RemoteKey {
 public:
  [[nodiscard]] std::string mount() const override { return "transit"; }
  [[nodiscard]] std::string key() const override { return "slow"; }
  Result<std::string> wrap(const Secret& plain, std::string_view /*place*/) override {
    return base64url_encode(as_bytes(plain.reveal()));
  }
  Result<Secret> unwrap(std::string_view wrapped, std::string_view /*place*/) override {
    if (slow) {
      asked.count_down();
      answers.wait();
    }
    const auto bytes = base64url_decode(wrapped);
    return Secret(std::string(as_text(*bytes)));
  }
  std::atomic<bool> slow{false};
  std::latch asked{1}, answers{1};
};

// `vault seal` while an unseal waits for its source: the seal was answered, so it holds, over a restart too.
TEST_F(KeyDeskTest, ASealThatComesWhileTheSourceIsAskedHolds_S2_10) {
  const auto engine = std::make_shared<SlowEngine>();
  const auto source = [engine] {
    crypto::UnsealSource by;
    by.kind = crypto::UnsealKind::transit;
    by.remote = engine;
    return by;
  };
  ASSERT_TRUE(await(desk_->reseal(source())).has_value());
  source_ = source;
  ASSERT_TRUE(desk_->seal().has_value());
  engine->slow = true;
  asio::io_context io;
  std::optional<Result<void>> unsealed;
  asio::co_spawn(io.get_executor(), desk_->unseal(),
                 [&](const std::exception_ptr&, Result<void> done) { unsealed = std::move(done); });
  while (io.poll() != 0) {
  }
  engine->asked.wait();
  EXPECT_TRUE(desk_->seal().has_value());
  engine->answers.count_down();
  io.run();
  ASSERT_TRUE(unsealed);
  ASSERT_FALSE(unsealed->has_value());
  EXPECT_EQ(unsealed->error().code, Code::conflict);
  EXPECT_NE(unsealed->error().detail.find("stays sealed"), std::string::npos);
  EXPECT_TRUE(desk_->status().sealed);
  EXPECT_EQ(keys_->wrapping_key(), 0U);
  EXPECT_EQ(metas_.kept["vault_sealed"], "1");
  engine->slow = false;
  ASSERT_TRUE(await(desk_->unseal()).has_value()) << "the next order opens it";
  EXPECT_TRUE(rows_->all_open());
}

TEST_F(KeyDeskTest, WithoutEncryptionItStaysSealed_C24) {
  start_again(false);
  EXPECT_TRUE(desk_->status().sealed);
  EXPECT_EQ(await(desk_->unseal()).error().code, Code::conflict);
  EXPECT_EQ(keys_->wrapping_key(), 0U);
}

TEST_F(KeyDeskTest, AnotherSourceOpensItAndNoRowIsTouched) {
  crypto::UnsealSource source;
  source.kind = crypto::UnsealKind::environment;
  source.secret = Secret("tLoYyHD6qB8vM1wQ3kz9nR5uXc7eJ2aG4sF0iVbUdHo=");
  ASSERT_TRUE(await(desk_->reseal(source.clone())).has_value());
  EXPECT_EQ(rows_->steps, 0U);
  EXPECT_EQ(desk_->status().opened_by, crypto::UnsealKind::environment);
  EXPECT_TRUE(crypto::Keyring::open(home_, source).has_value());
  EXPECT_FALSE(crypto::Keyring::open(home_, {}).has_value());
  EXPECT_TRUE(rows_->all_open());
}

}  // namespace
}  // namespace sallyport::control
