#include <gtest/gtest.h>

#include <string>

#include "core/task.h"

namespace sallyport {
namespace {

Task<void> note_after_turn(std::string& seen, char name) {
  const Executor here = co_await asio::this_coro::executor;
  co_await after_this_turn(here);
  seen += name;
  co_await after_this_turn(here);
  seen += name;
}

TEST(Turn, WhatIsReadyRunsFirstAndWhoWaitsGoesOnTogether) {
  asio::io_context io;
  std::string seen;
  TaskGroup tasks(io.get_executor(), [](const char* what) { FAIL() << what; });
  for (const char name : {'a', 'b', 'c'}) {
    tasks.spawn(note_after_turn(seen, name));
    asio::post(io, [&seen] { seen += '.'; });
  }
  io.run();
  EXPECT_EQ(seen, "...abcabc");
}

TEST(Turn, EveryLoopHasItsOwn) {
  std::string seen;
  asio::io_context one, other;  // on one thread: the one's turn is not joined by the other's task
  asio::co_spawn(one, note_after_turn(seen, '1'), [](const std::exception_ptr&) {});
  asio::co_spawn(other, note_after_turn(seen, '2'), [](const std::exception_ptr&) {});
  EXPECT_EQ(one.poll_one() + other.poll_one(), 2U);
  one.run();
  EXPECT_EQ(seen, "11");
  other.run();
  EXPECT_EQ(seen, "1122");
}

struct Witness {
  explicit Witness(int& alive) : alive_(&alive) { ++alive; }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness() { --*alive_; }
  int* alive_;
};

Task<void> wait_with_witness(int& alive) {
  const Witness witness(alive);
  co_await after_this_turn(co_await asio::this_coro::executor);
}

TEST(Turn, WhoWaitsEndsWithALoopThatNeverRunsAgain) {
  int alive = 0;
  {
    asio::io_context io;
    for (int i = 0; i < 3; ++i) asio::co_spawn(io, wait_with_witness(alive), [](const std::exception_ptr&) {});
    for (int i = 0; i < 3; ++i) io.poll_one();
    EXPECT_EQ(alive, 3);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Turn, AnExceptionThatEscapesOneDoesNotStrandTheOthers) {
  asio::io_context io;
  std::string seen;
  int alive = 0;
  asio::co_spawn(io, wait_with_witness(alive), [](const std::exception_ptr&) { throw std::string("out of the loop"); });
  asio::co_spawn(io, note_after_turn(seen, 'a'), [](const std::exception_ptr&) {});
  EXPECT_THROW(io.run(), std::string);
  io.run();
  EXPECT_EQ(seen, "aa");
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace sallyport
