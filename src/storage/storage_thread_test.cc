#include "storage/storage_thread.h"

#include <gtest/gtest.h>

#include <optional>

namespace sallyport::storage {
namespace {

// Runs one coroutine on an io_context of the test's thread.
template <class T>
T on_worker(Task<T> task) {
  asio::io_context worker;
  std::optional<T> out;
  asio::co_spawn(worker, std::move(task), [&out](std::exception_ptr error, T value) {
    ASSERT_FALSE(error);
    out = std::move(value);
  });
  worker.run();
  return std::move(*out);
}

TEST(StorageThread, RunsThereAndResumesHere) {
  StorageThread storage;
  const auto here = std::this_thread::get_id();
  const auto same = on_worker([](StorageThread& thread, std::thread::id caller) -> Task<bool> {
    Result<std::thread::id> there =
        co_await thread.run([]() -> Result<std::thread::id> { return std::this_thread::get_id(); });
    co_return there && *there != caller && std::this_thread::get_id() == caller;
  }(storage, here));
  EXPECT_TRUE(same);
}

TEST(StorageThread, AnExceptionBecomesAnError) {
  StorageThread storage;
  const Code code = on_worker([](StorageThread& thread) -> Task<Code> {
    Result<int> result = co_await thread.run([]() -> Result<int> { throw std::runtime_error("x"); });
    co_return result ? Code::count_ : result.error().code;
  }(storage));
  EXPECT_EQ(code, Code::internal);
}

TEST(StorageThread, StopRunsWhatIsQueuedThenRefuses) {
  StorageThread storage;
  std::atomic<int> ran = 0;
  for (int i = 0; i < 100; ++i) storage.post([&ran] { ++ran; });
  storage.stop();
  EXPECT_EQ(ran, 100);
  const Code code = on_worker([](StorageThread& thread) -> Task<Code> {
    Result<int> result = co_await thread.run([]() -> Result<int> { return 1; });
    co_return result ? Code::count_ : result.error().code;
  }(storage));
  EXPECT_EQ(code, Code::draining);
}

}  // namespace
}  // namespace sallyport::storage
