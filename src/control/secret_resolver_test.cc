#include "control/secret_resolver.h"

#include <gtest/gtest.h>

#include "control/vault_source.h"
#include "control/vault_test_support.h"

namespace sallyport::control {
namespace {

class Remote final : public SecretSource {
 public:
  Remote(Result<std::string>& answer, int& asked, SteadyTimer& gate) : answer_(answer), asked_(asked), gate_(gate) {}
  Task<Result<Secret>> fetch(std::string, SecretUse use) override {
    ++asked_;
    until = use.deadline;
    if (hangs) {
      (void)co_await gate_.async_wait(use_task_ec);
      if (hangs) co_return fail(Code::upstream_timeout, "no answer");
    }
    if (!answer_) co_return fail(answer_.error());
    co_return Secret(*answer_);
  }
  [[nodiscard]] std::chrono::seconds kept_for() const override { return std::chrono::seconds(100); }
  static inline SteadyTime until{};  // of what was asked last
  static inline bool hangs = false;  // until the gate is cancelled; still then: no answer

 private:
  Result<std::string>& answer_;
  int& asked_;
  SteadyTimer& gate_;
};

class References : public ::testing::Test {
 protected:
  References() {
    resolver_.add("plain",
                  std::make_unique<LocalSource>([](const std::string& name, const SecretUse& use) -> Result<Secret> {
                    if (name == "gone") return fail(Code::config, "it is not there");
                    return Secret("<" + name + " for " + use.server + ">");
                  }));
    resolver_.add("far", std::make_unique<Remote>(answer_, asked_, gate_));
    resolver_.add("vault", std::make_unique<VaultSource>(vault_, [](const std::string& principal) {
                    return principal == "key:k" ? std::string("user:7") : principal;
                  }));
  }
  ~References() override {
    hang(false);
    asio::co_spawn(io_, resolver_.stop(), [](const std::exception_ptr&) {});
    turn();
  }
  std::string resolved(const std::string& text, SecretUse use = {"calc", "user:7"}) {
    const auto out = begun(text, std::move(use));
    io_.restart();
    io_.run();
    return *out;
  }
  // Goes on with each turn(); empty until it has ended.
  std::shared_ptr<std::string> begun(const std::string& text, SecretUse use = {"calc", "user:7"}) {
    auto out = std::make_shared<std::string>();
    asio::co_spawn(io_, resolver_.resolve(text, std::move(use)), [out](const std::exception_ptr&, Result<Secret> done) {
      *out = done ? std::string(done->reveal()) : "error: " + done.error().detail;
    });
    return out;
  }
  void turn() {
    io_.restart();
    io_.poll();
  }
  void hang(bool hangs) {
    Remote::hangs = hangs;
    gate_.cancel();
    turn();
  }
  void put(const VaultName& where, const std::string& value) {
    VaultPut order;
    order.where = where;
    order.value = Secret(value);
    ASSERT_TRUE(vault_.put(std::move(order)));
  }

  asio::io_context io_;
  SteadyTimer gate_{io_.get_executor(), SteadyTimer::time_point::max()};
  FakeClock clock_;
  SystemRandom random_;
  crypto::KeyStore keys_ = testing::key_store_of("resolver tests");
  testing::MemoryVault store_;
  Vault vault_{store_, keys_, random_, clock_};
  Result<std::string> answer_ = "far away";
  int asked_ = 0;
  std::vector<std::string> noted_;
  bool audit_fails_ = false;
  SecretResolver resolver_{
      io_.get_executor(), clock_,
      [this](const std::string& reference, const SecretUse&, const Result<void>& outcome) -> Result<void> {
        noted_.push_back(reference + (outcome ? "" : " failed"));
        if (audit_fails_) return fail(Code::audit_unavailable, "disk full");
        return {};
      }};
};

TEST_F(References, AreReplacedInTheMidstOfText) {
  EXPECT_EQ(resolved("Bearer ${plain:a}, ${plain:b}!"), "Bearer <a for calc>, <b for calc>!");
  EXPECT_EQ(resolved("nothing"), "nothing");
}

TEST_F(References, OneThatIsNotThereFailsTheWholeAndIsNamed) {
  EXPECT_EQ(resolved("${plain:a}${plain:gone}"), "error: ${plain:gone}: it is not there");
  EXPECT_TRUE(resolved("${nope:a}").starts_with("error: ${nope:a}: no such source"));
  EXPECT_TRUE(resolved("${plain:a").starts_with("error: a malformed"));
  EXPECT_TRUE(resolved("${plain}").starts_with("error: ${plain}: no such source"));
  EXPECT_EQ(noted_, (std::vector<std::string>{"${plain:a}", "${plain:gone} failed"}));
}

TEST_F(References, WhatCannotBeNotedIsNotGiven) {
  EXPECT_EQ(resolved("${far:x}"), "far away");
  audit_fails_ = true;
  EXPECT_EQ(resolved("${plain:a}"), "error: disk full");
  EXPECT_EQ(resolved("${far:x}"), "error: disk full") << "from memory neither";
}

// S4-17
TEST_F(References, WhatMayBeKeptIsRenewedBeforeItsTimeIsOverAndNotGivenAfterIt) {
  EXPECT_EQ(resolved("${far:x}"), "far away");
  EXPECT_EQ(resolved("${far:x}"), "far away");
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(noted_, (std::vector<std::string>{"${far:x}", "${far:x}"})) << "each use, from memory too";
  clock_.advance(std::chrono::seconds(75));
  answer_ = fail(Code::upstream_unavailable, "down");
  EXPECT_EQ(resolved("${far:x}"), "far away");
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(noted_, (std::vector<std::string>{"${far:x}", "${far:x}", "${far:x} failed", "${far:x}"}));
  clock_.advance(std::chrono::seconds(25));
  EXPECT_EQ(resolved("${far:x}"), "error: ${far:x}: down");
  answer_ = "fresh";
  EXPECT_EQ(resolved("${far:x}"), "fresh");
}

// S4-17: a store that hangs delays nobody while what is kept may be given, and it is asked once.
TEST_F(References, WhatIsKeptIsGivenAtOnceWhileItsStoreIsAskedBeside) {
  ASSERT_EQ(resolved("${far:x}"), "far away");
  clock_.advance(std::chrono::seconds(75));
  hang(true);
  answer_ = "fresh";
  const auto one = begun("${far:x}"), two = begun("${far:x}", {"other", "user:8"});
  turn();
  EXPECT_EQ(*one, "far away");
  EXPECT_EQ(*two, "far away");
  EXPECT_EQ(asked_, 2) << "one question beside";
  EXPECT_EQ(Remote::until, SteadyTime::max()) << "that no call waits for";
  hang(false);
  const auto three = begun("${far:x}");
  turn();
  EXPECT_EQ(*three, "fresh");
  EXPECT_EQ(asked_, 2);
}

TEST_F(References, WhoNeedsTheSameAtOnceSharesOneQuestion) {
  hang(true);
  const auto one = begun("${far:x}"), two = begun("${far:x}", {"other", "user:8"}), other = begun("${far:y}");
  turn();
  EXPECT_EQ(asked_, 2) << "x and y";
  EXPECT_EQ(*one + *two + *other, "");
  hang(false);
  EXPECT_EQ(*one, "far away");
  EXPECT_EQ(*two, "far away");
  EXPECT_EQ(noted_.size(), 3U) << "each use";
  clock_.advance(std::chrono::seconds(100));
  answer_ = fail(Code::upstream_unavailable, "down");
  noted_.clear();
  hang(true);
  const auto three = begun("${far:x}"), four = begun("${far:x}");
  turn();
  hang(false);
  EXPECT_EQ(asked_, 3);
  EXPECT_EQ(*three, "error: ${far:x}: down") << "what has ended is not given";
  EXPECT_EQ(*four, "error: ${far:x}: down");
  EXPECT_EQ(noted_, (std::vector<std::string>{"${far:x} failed", "${far:x} failed"}));
}

TEST_F(References, WhoJoinsAQuestionWaitsForItsOwnTime) {
  hang(true);
  const auto patient = begun("${far:x}");
  turn();
  const auto hasty = begun("${far:x}", {"calc", "user:8", clock_.steady()});
  while (hasty->empty()) io_.run_one();
  EXPECT_EQ(*hasty, "error: ${far:x}: no answer in the time of its call");
  EXPECT_EQ(*patient, "");
  hang(false);
  EXPECT_EQ(*patient, "far away");
  EXPECT_EQ(asked_, 1);
}

TEST_F(References, WhoJoinsOneThatHadLessTimeAsksAgain) {
  hang(true);
  const auto first = begun("${far:x}", {"calc", "user:7", clock_.steady() + std::chrono::seconds(60)});
  turn();
  const auto patient = begun("${far:x}", {"calc", "user:8"});
  turn();
  EXPECT_EQ(asked_, 1);
  clock_.advance(std::chrono::seconds(60));
  gate_.cancel();  // its question ends without an answer
  turn();
  EXPECT_EQ(*first, "error: ${far:x}: no answer");
  EXPECT_EQ(asked_, 2);
  hang(false);
  EXPECT_EQ(*patient, "far away");
}

TEST_F(References, AreAskedForNoMoreOnceItIsStopped) {
  ASSERT_EQ(resolved("${far:x}"), "far away");
  clock_.advance(std::chrono::seconds(75));
  hang(true);
  const auto kept = begun("${far:x}"), fresh = begun("${far:y}");
  turn();
  bool stopped = false;
  asio::co_spawn(io_, resolver_.stop(), [&stopped](const std::exception_ptr&) { stopped = true; });
  turn();
  EXPECT_TRUE(stopped);
  EXPECT_EQ(*kept, "far away");
  EXPECT_TRUE(fresh->starts_with("error: ${far:y}: ")) << *fresh;
}

// Whatever of one call is asked for has the time of that call, and no more.
TEST_F(References, OfOneCallEndWithItsDeadline) {
  const SteadyTime deadline = clock_.steady() + std::chrono::seconds(3);
  for (const char* text : {"${far:a}", "${far:b}${far:c}"}) {
    Remote::until = {};
    EXPECT_EQ(resolved(text, {"calc", "user:7", deadline}).substr(0, 8), "far away");
    EXPECT_EQ(Remote::until, deadline) << text;
  }
}

TEST_F(References, NameVersionsOfTheVault) {
  put({"", "team/mail"}, "one");
  put({"", "team/mail"}, "two");
  EXPECT_EQ(resolved("${vault:team/mail}"), "two");
  EXPECT_EQ(resolved("${vault:team/mail@1}"), "one");
  EXPECT_TRUE(resolved("${vault:team/mail@x}").starts_with("error: ${vault:team/mail@x}: behind @"));
  EXPECT_EQ(resolved("${vault:nope}"), "error: ${vault:nope}: no secret nope");
}

// S2-13: a caller's own secret, and nobody else's.
TEST_F(References, OfCallersFindTheirOwnAlone) {
  put({"user:7", "github"}, "ada's");
  put({"user:8", "github"}, "bob's");
  put({"", "github"}, "the gateway's");
  put({"", "probe/github"}, "the probe's");
  EXPECT_EQ(resolved("${vault:principal/github}", {"calc", "user:7"}), "ada's");
  EXPECT_EQ(resolved("${vault:principal/github}", {"calc", "key:k"}), "ada's") << "a key has its person's";
  EXPECT_EQ(resolved("${vault:principal/github}", {"calc", "user:8"}), "bob's");
  EXPECT_TRUE(resolved("${vault:principal/github}", {"calc", "user:9"}).starts_with("error: "));
  EXPECT_EQ(resolved("${vault:principal/github}", {"calc", ""}), "the probe's");
  put({"key:k", "github"}, "the key's own");
  EXPECT_EQ(resolved("${vault:principal/github}", {"calc", "key:k"}), "the key's own");
  put({"user:7", "github"}, "ada's second");
  EXPECT_TRUE(resolved("${vault:principal/github@2}", {"calc", "key:k"}).starts_with("error: "))
      << "who was given a lesser one gets no other in its place";
}

TEST_F(References, AreFoundInTexts) {
  EXPECT_TRUE(refers_to("Bearer ${vault:a/b}", {"", "a/b"}));
  EXPECT_TRUE(refers_to("${env:X}${vault:a@3}", {"", "a"}));
  EXPECT_FALSE(refers_to("${vault:ab}", {"", "a"}));
  EXPECT_FALSE(refers_to("${vault:a}", {"user:1", "a"}));
  EXPECT_TRUE(refers_to("${vault:principal/a}", {"user:1", "a"}));
  EXPECT_TRUE(refers_to_principals("x${vault:principal/a}"));
  EXPECT_FALSE(refers_to_principals("${vault:a}"));
}

}  // namespace
}  // namespace sallyport::control
