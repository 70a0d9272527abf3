#include "request/pipeline/slices.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport {
namespace {

using namespace std::chrono_literals;

Task<void> work(FakeClock& clock, std::string& seen) {
  Slices slices(clock, co_await asio::this_coro::executor);
  for (int i = 0; i < 5; ++i) {
    if (slices.over()) co_await slices.next();
    seen += 'w';
    clock.advance(500us);
  }
}

struct Other {
  asio::io_context& io;
  std::string& seen;
  int left;
  void operator()() const {
    seen += '.';
    if (left > 0) asio::post(io, Other{io, seen, left - 1});
  }
};

TEST(Slices, OthersAreServedEachMillisecond) {
  asio::io_context io;
  FakeClock clock;
  std::string seen;
  TaskGroup tasks(io.get_executor(), [](const char* what) { FAIL() << what; });
  tasks.spawn(work(clock, seen));
  asio::post(io, Other{io, seen, 9});
  io.run();
  EXPECT_TRUE(seen.starts_with("ww.ww.w")) << seen;
}

}  // namespace
}  // namespace sallyport
