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
  spawn<int>(worker,
             aside.run<int>("user:1",
                            [until = answered.get_future().share()]() -> Result<int> {
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

// Questions that are answered when the worker has nothing else to do: who asks, one after the other.
struct Asked {
  Aside aside;
  asio::io_context worker{1};
  std::promise<void> begin;
  std::shared_future<void> until = begin.get_future().share();
  std::vector<Result<int>> found;

  void ask(const std::string& who) {
    const auto wait = [until = until]() -> Result<int> {
      until.wait();
      return 1;
    };
    spawn<int>(worker, aside.run<int>(who, wait), found);
  }
  void run() {
    asio::post(worker, [this] { begin.set_value(); });
    worker.run();
  }
  void ask_again(const std::string& who) {
    worker.restart();
    ask(who);
    worker.run();
  }
};

TEST(Aside, MoreThanSixteenAreRefusedAndPlacesComeFree) {
  Asked asked;
  for (int i = 0; i <= Aside::kPlaces; ++i) asked.ask("user:" + std::to_string(i));
  asked.run();
  ASSERT_EQ(asked.found.size(), static_cast<std::size_t>(Aside::kPlaces) + 1);
  EXPECT_EQ(std::ranges::count_if(asked.found, [](const auto& one) { return !one; }), 1);
  EXPECT_EQ(asked.found.front().error().code, Code::rate_limited) << "at once, before any other";
  asked.ask_again("user:1");
  EXPECT_TRUE(asked.found.back());
}

TEST(Aside, NobodyTakesAllPlaces) {
  Asked asked;
  for (int i = 0; i < Aside::kPlaces; ++i) asked.ask("user:1");
  asked.ask("user:2");
  asked.run();
  ASSERT_EQ(asked.found.size(), static_cast<std::size_t>(Aside::kPlaces) + 1);
  const auto answered = std::ranges::count_if(asked.found, [](const auto& one) { return one.has_value(); });
  EXPECT_EQ(answered, Aside::kPlacesOfOne + 1) << "and the other's";
  EXPECT_NE(asked.found.front().error().detail.find("4 questions of yours"), std::string::npos);
  asked.ask_again("user:1");
  EXPECT_TRUE(asked.found.back());
}

// At a stop: nobody hears any more, and what they hold is given back while all of it is there. Each way failed under ASan.
TEST(AsideAbuse, WhoWaitsWhenItGoes) {
  asio::io_context worker(1);
  std::vector<Result<int>> found;
  bool ran = false;
  {
    Aside aside;
    aside.stop();  // as if another question had held up its thread until then
    for (const char* who : {"user:1", "user:1", "user:2"}) {
      spawn<int>(worker,
                 aside.run<int>(who,
                                [&ran]() -> Result<int> {
                                  ran = true;
                                  return 7;
                                }),
                 found);
    }
    worker.poll();
  }
  worker.restart();
  worker.poll();
  EXPECT_FALSE(ran);
  EXPECT_TRUE(found.empty());
}

TEST(AsideAbuse, WhoseAnswerIsThereWhenItGoes) {
  auto worker = std::make_unique<asio::io_context>(1);
  std::vector<Result<int>> found;
  std::promise<void> runs;
  auto aside = std::make_unique<Aside>();
  spawn<int>(*worker,
             aside->run<int>("user:1",
                             [&runs]() -> Result<int> {
                               runs.set_value();
                               return 7;
                             }),
             found);
  worker->poll();
  runs.get_future().wait();
  aside->stop();  // what runs ends: the answer is with the worker, who does not look any more
  aside.reset();
  worker.reset();
  EXPECT_TRUE(found.empty());
}

}  // namespace
}  // namespace sallyport
