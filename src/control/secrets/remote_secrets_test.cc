// S4-17: secrets of other stores, kept for a time and never beyond it.
#include "control/secrets/remote_secrets.h"

#include <gtest/gtest.h>

namespace sallyport::control {
namespace {

class RemoteSecretsTest : public ::testing::Test {
 protected:
  RemoteSecretsTest() {
    RemoteSecrets::Sources sources;
    sources.kv = [this](RemoteReference reference) { return answer(std::move(reference)); };
    secrets_.emplace(io_.get_executor(), clock_, std::move(sources), std::chrono::seconds(30),
                     [this](std::string_view why) { reports_.emplace_back(why); });
  }
  ~RemoteSecretsTest() override {
    asio::co_spawn(io_, secrets_->stop(), [](const std::exception_ptr&) {});
    io_.restart();
    io_.run();
  }

  Task<Result<Secret>> answer(RemoteReference reference) {
    ++asked_;
    SteadyTimer timer(io_.get_executor(), std::chrono::milliseconds(1));
    (void)co_await timer.async_wait(use_task_ec);
    if (down_) co_return fail(Code::upstream_unavailable, "no route");
    co_return Secret(reference.path + "-" + std::to_string(asked_));
  }

  std::string get(const std::string& inner) {
    std::string out = "none";
    asio::co_spawn(io_, secrets_->get(inner), [&](const std::exception_ptr&, Result<Secret> value) {
      out = value ? std::string(value->reveal()) : "error: " + value.error().detail;
    });
    io_.restart();
    io_.run();
    return out;
  }

  asio::io_context io_;
  FakeClock clock_;
  int asked_ = 0;
  bool down_ = false;
  std::vector<std::string> reports_;
  std::optional<RemoteSecrets> secrets_;
};

TEST_F(RemoteSecretsTest, AsksOnceWithinItsTime) {
  EXPECT_EQ(get("kv:secret/mail#password"), "mail-1");
  clock_.advance(std::chrono::seconds(19));
  EXPECT_EQ(get("kv:secret/mail#password"), "mail-1");
  EXPECT_EQ(asked_, 1);
}

TEST_F(RemoteSecretsTest, AsksAnewBeforeTheTimeIsOver) {
  get("kv:secret/mail#password");
  clock_.advance(std::chrono::seconds(20));
  EXPECT_EQ(get("kv:secret/mail#password"), "mail-1");  // at once; the question goes on behind
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(get("kv:secret/mail#password"), "mail-2");
}

TEST_F(RemoteSecretsTest, FailsClosedWhenTheTimeIsOver) {
  get("kv:secret/mail#password");
  down_ = true;
  clock_.advance(std::chrono::seconds(29));
  EXPECT_EQ(get("kv:secret/mail#password"), "mail-1");
  ASSERT_EQ(reports_.size(), 1U);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(get("kv:secret/mail#password"), "error: ${kv:secret/mail#password}: no route");
}

TEST_F(RemoteSecretsTest, WhoAsksForTheSameAtTheSameTimeWaitsForOneAnswer) {
  std::vector<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    asio::co_spawn(io_, secrets_->get("kv:secret/mail#password"), [&](const std::exception_ptr&, Result<Secret> value) {
      seen.emplace_back(value ? value->reveal() : "error");
    });
  }
  io_.restart();
  io_.run();
  EXPECT_EQ(seen, std::vector<std::string>(50, "mail-1"));
  EXPECT_EQ(asked_, 1);
}

TEST_F(RemoteSecretsTest, AllHearThatItFailed) {
  down_ = true;
  int failed = 0;
  for (int i = 0; i < 5; ++i) {
    asio::co_spawn(io_, secrets_->get("kv:secret/mail#password"),
                   [&](const std::exception_ptr&, const Result<Secret>& value) { failed += value ? 0 : 1; });
  }
  io_.restart();
  io_.run();
  EXPECT_EQ(failed, 5);
  EXPECT_EQ(asked_, 1);
}

TEST_F(RemoteSecretsTest, ASourceThatIsNotSetUpSaysWhatToSet) {
  EXPECT_EQ(get("aws:mail"), "error: ${aws:mail}: set secrets.aws.region first");
  EXPECT_NE(get("kv:../x#f").find("write ${kv:MOUNT/PATH#FIELD}"), std::string::npos);
  EXPECT_EQ(asked_, 0);
}

TEST_F(RemoteSecretsTest, ForgetsWhenItIsTold) {
  get("kv:secret/mail#password");
  secrets_->forget();
  EXPECT_EQ(get("kv:secret/mail#password"), "mail-2");
}

}  // namespace
}  // namespace sallyport::control
