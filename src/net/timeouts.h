// Deadlines of everything a worker waits for, enforced by one sweep (a timer raced with each read costs 2 us, a sweep
// every 250 ms costs nothing). Each waiting thing keeps an entry; the sweep calls `expired` once its deadline has
// passed. One DeadlineSweep a worker, on that worker's thread only. Precision: one interval, never early.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/task.h"

namespace sallyport::net {

struct Timeouts {
  std::chrono::milliseconds head{10'000};  // from the first byte of a head to its end
  std::chrono::milliseconds body{30'000};  // to receive `body_progress_bytes` more of a body, or its end
  std::chrono::milliseconds idle{75'000};  // keep-alive, and from the accept to the first byte
  std::chrono::milliseconds write{30'000};  // without one byte taken by the peer
  std::size_t body_progress_bytes = 16U << 10;
};

class DeadlineSweep {
 public:
  class Entry {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    virtual ~Entry();
    // Called on the worker's thread, at most once for each deadline. It must not destroy entries: it shuts a socket
    // down, and whoever waits on it ends by itself.
    virtual void expired() = 0;

    void set_deadline(SteadyTime when) noexcept { deadline_ = when; }
    void clear_deadline() noexcept { deadline_ = SteadyTime::max(); }
    [[nodiscard]] SteadyTime deadline() const noexcept { return deadline_; }

   private:
    friend class DeadlineSweep;
    DeadlineSweep* sweep_ = nullptr;
    std::list<Entry*>::iterator place_;
    SteadyTime deadline_ = SteadyTime::max();
  };

  DeadlineSweep(Executor executor, const Clock& clock,
                std::chrono::milliseconds interval = std::chrono::milliseconds{250});
  ~DeadlineSweep();
  DeadlineSweep(const DeadlineSweep&) = delete;
  DeadlineSweep& operator=(const DeadlineSweep&) = delete;

  void start();
  // Until then the sweep's timer keeps its io_context running.
  void stop();
  void add(Entry& entry);
  void remove(Entry& entry);  // also done by ~Entry

  // The time of the last sweep, without a system call.
  [[nodiscard]] SteadyTime tick() const noexcept { return tick_; }
  [[nodiscard]] SteadyTime now() const noexcept { return clock_.steady(); }
  [[nodiscard]] const Clock& clock() const noexcept { return clock_; }
  // A deadline `span` from now, counted from the end of the present interval: never early.
  [[nodiscard]] SteadyTime in(std::chrono::milliseconds span) const noexcept { return tick_ + interval_ + span; }
  // The time as an HTTP Date (RFC 9110 6.6.1), renewed by the sweep.
  [[nodiscard]] const std::string& http_date() const noexcept { return date_; }
  // What a test calls instead of waiting.
  void sweep_now();

 private:
  void arm();
  void renew_date();

  const Clock& clock_;
  std::chrono::milliseconds interval_;
  SteadyTimer timer_;
  std::list<Entry*> entries_;
  std::list<Entry*>::iterator cursor_;
  SteadyTime tick_;
  std::int64_t date_second_ = -1;
  std::string date_;
  std::shared_ptr<bool> alive_;  // false: stopped; a wait that has ended already must not begin another
};

}  // namespace sallyport::net
