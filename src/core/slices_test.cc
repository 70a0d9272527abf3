#include "core/slices.h"

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
    clock.advance(125us);
  }
}

struct Other {
  asio::io_context& io;
  FakeClock& clock;
  std::string& seen;
  int left;
  std::chrono::microseconds each;
  void operator()() const {
    seen += '.';
    clock.advance(each);
    if (left > 1) asio::post(io, Other{io, clock, seen, left - 1, each});
  }
};

std::string beside(int others, std::chrono::microseconds each) {
  asio::io_context io;
  FakeClock clock;
  std::string seen;
  TaskGroup tasks(io.get_executor(), [](const char* what) { FAIL() << what; });
  tasks.spawn(work(clock, seen));
  asio::post(io, Other{io, clock, seen, others, each});
  io.run();
  return seen;
}

TEST(Slices, OthersAreServedInBetween) { EXPECT_TRUE(beside(9, 1us).starts_with("ww.ww.w")) << beside(9, 1us); }

TEST(Slices, OthersGoOnUntilTheyHaveNothingToDo) { EXPECT_EQ(beside(6, 50us), "ww......www"); }

TEST(Slices, TheWorkGoesOnBesideThoseWhoAlwaysHaveSomething) {
  EXPECT_TRUE(beside(99, 500us).starts_with("ww..ww..w")) << beside(99, 500us);
}

}  // namespace
}  // namespace sallyport
