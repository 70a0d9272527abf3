// A thread beside the workers, for questions that people ask now and then and that may take long (why a call was refused): no
// request waits for them. One after the other, 16 at most with those that wait, 4 of them of one person, so that nobody takes all
// places. One a process; any worker awaits on it and is resumed on its own executor. stop() before the workers' io_contexts go. Who was
// not answered by then may be destroyed before it or after it: with it where the question waited, with their own io_context where the
// answer did.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/task.h"

namespace sallyport {

class Aside {
 public:
  static constexpr int kPlaces = 16;
  static constexpr int kPlacesOfOne = 4;

  Aside();
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  ~Aside();

  // `who` asks (person_of()); `work` owns what it uses. Code::rate_limited, with words for the asker: 16 are there already, or 4 of
  // `who`; else what `work` returns.
  template <class T>
  Task<Result<T>> run(std::string who, std::function<Result<T>()> work) {
    const Place place(places_, std::move(who));
    SP_CO_CHECK(place.taken);
    co_return co_await run_on<T>(io_.get_executor(), done<T>(std::move(work)));
  }

  // What runs ends, what waits is never answered. Idempotent.
  void stop();

 private:
  // Of whoever asks too: they may be there after this is gone.
  class Places {
   public:
    Result<void> take(const std::string& who);
    void give_back(const std::string& who);

   private:
    std::mutex mutex_;  // of the two below
    int taken_ = 0;
    std::map<std::string, int> taken_by_;
  };
  struct Place {
    Place(std::shared_ptr<Places> from, std::string asker)
        : of(std::move(from)), who(std::move(asker)), taken(of->take(who)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (taken) of->give_back(who);
    }
    std::shared_ptr<Places> of;
    std::string who;
    Result<void> taken;
  };
  template <class T>
  static Task<Result<T>> done(std::function<Result<T>()> work) {
    co_return work();
  }

  const std::shared_ptr<Places> places_ = std::make_shared<Places>();
  asio::io_context io_{1};
  asio::executor_work_guard<Executor> open_;
  std::thread thread_;
};

}  // namespace sallyport
