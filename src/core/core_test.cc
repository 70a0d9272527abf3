#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/encoding.h"
#include "core/random.h"
#include "core/secret.h"
#include "core/task.h"

namespace sallyport {
namespace {

TEST(Base64Url, RoundTripsEveryLength) {
  SystemRandom random;
  for (std::size_t n = 0; n < 40; ++n) {
    std::string raw(n, '\0');
    random.fill(std::as_writable_bytes(std::span(raw)));
    const auto back = base64url_decode(base64url_encode(as_bytes(raw)));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(as_text(*back), raw);
  }
}

TEST(Base64Url, RefusesPaddingForeignLettersAndTrailingBits) {
  for (const char* bad : {"A", "AA==", "A+", "A/", "AB C", "AB"}) {  // "AB": its last four bits are not zero
    EXPECT_FALSE(base64url_decode(bad).has_value()) << bad;
  }
}

TEST(Hex, RefusesOddLengthAndUpperCase) {
  EXPECT_FALSE(hex_decode("abc").has_value());
  EXPECT_FALSE(hex_decode("AB").has_value());
  EXPECT_EQ(hex_encode(*hex_decode("00ff10")), "00ff10");
}

TEST(Secret, MovesAndWipes) {
  Secret a(std::string("a long enough secret to live on the heap"));
  Secret b(std::move(a));
  EXPECT_TRUE(a.empty());  // NOLINT: the moved-from state is the promise
  EXPECT_EQ(b.reveal(), "a long enough secret to live on the heap");
}

TEST(ConstantTime, ComparesLengthAndContent) {
  EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("ab")));
}

TEST(TaskGroup, CancelsAndJoins) {
  asio::io_context io;
  std::string escaped;
  TaskGroup group(io.get_executor(), [&](const char* what) { escaped = what; });
  int ended = 0;
  for (int i = 0; i < 3; ++i) {
    group.spawn([](Executor ex, int& count) -> Task<void> {
      SteadyTimer timer(ex, std::chrono::hours(1));
      co_await timer.async_wait(use_task_ec);
      ++count;
    }(io.get_executor(), ended));
  }
  group.spawn([]() -> Task<void> {
    throw std::runtime_error("told");
    co_return;
  }());
  bool joined = false;
  asio::co_spawn(io, [](TaskGroup& g, bool& done) -> Task<void> {
    g.cancel();
    co_await g.join();
    done = true;
  }(group, joined), asio::detached);
  io.run();
  EXPECT_EQ(ended, 3);
  EXPECT_TRUE(joined);
  EXPECT_EQ(escaped, "told");
}

TEST(RunOn, BringsTheResultHome) {
  asio::io_context here;
  asio::io_context there;
  auto keep = asio::make_work_guard(there);
  std::thread other([&] { there.run(); });
  int got = 0;
  asio::co_spawn(here, [](Executor ex, int& out) -> Task<void> {
    auto r = co_await run_on<int>(ex, []() -> Task<Result<int>> { co_return 42; }());
    out = r.value_or(0);
  }(there.get_executor(), got), asio::detached);
  here.run();
  keep.reset();
  other.join();
  EXPECT_EQ(got, 42);
}

}  // namespace
}  // namespace sallyport
