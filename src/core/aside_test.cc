#include "core/aside.h"

#include <gtest/gtest.h>

#include <future>

namespace sallyport {
namespace {

// What a worker does: `task` on an executor of this thread, until it has ended.
template <class T>
void spawn(asio::io_context& io, Task<Result<T>> task, std::vector<Result<T>>& to) {
  asio::co_spawn(io.get_executor(), std::move(task),
                 [&to](const std::exception_ptr&, Result<T> result) { to.push_back(std::move(result)); });
}

TEST(Aside, AWorkerGoesOnWhileItsQuestionTakesLong) {
  Aside aside;
  asio::io_context worker(1);
  std::promise<void> answered;
  std::vector<Result<int>> found;
  spawn<int>(worker, aside.run<int>([until = answered.get_future().share()]() -> Result<int> {
    until.wait();
    return 7;
  }),
             found);
  bool other = false;
  asio::post(worker, [&] {
    other = true;  // another request, on the same thread, is answered first
    answered.set_value();
  });
  worker.run();
  EXPECT_TRUE(other);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], 7);
}

TEST(Aside, MoreThanSixteenAreRefusedAndPlacesComeFree) {
  Aside aside;
  asio::io_context worker(1);
  std::promise<void> begin;
  const auto until = begin.get_future().share();
  std::vector<Result<int>> found;
  const auto ask = [&] {
    spawn<int>(worker, aside.run<int>([until]() -> Result<int> {
      until.wait();
      return 1;
    }),
               found);
  };
  for (int i = 0; i <= Aside::kAtOnce; ++i) ask();
  asio::post(worker, [&] { begin.set_value(); });
  worker.run();
  ASSERT_EQ(found.size(), static_cast<std::size_t>(Aside::kAtOnce) + 1);
  EXPECT_EQ(std::ranges::count_if(found, [](const auto& one) { return !one; }), 1);
  EXPECT_EQ(found.front().error().code, Code::rate_limited) << "at once, before any other";
  worker.restart();
  ask();
  worker.run();
  EXPECT_TRUE(found.back());
}

}  // namespace
}  // namespace sallyport
