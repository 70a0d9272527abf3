#include "net/timeouts.h"

#include <ctime>

namespace sallyport::net {

DeadlineSweep::Entry::~Entry() {
  if (sweep_ != nullptr) sweep_->remove(*this);
}

DeadlineSweep::DeadlineSweep(Executor executor, const Clock& clock, std::chrono::milliseconds interval)
    : clock_(clock),
      interval_(interval),
      timer_(executor),
      cursor_(entries_.end()),
      tick_(clock.steady()),
      alive_(std::make_shared<bool>(true)) {
  renew_date();
}

DeadlineSweep::~DeadlineSweep() {
  *alive_ = false;
  for (auto* entry : entries_) entry->sweep_ = nullptr;
}

void DeadlineSweep::start() {
  alive_ = std::make_shared<bool>(true);
  arm();
}

void DeadlineSweep::stop() {
  *alive_ = false;
  timer_.cancel();
}

void DeadlineSweep::arm() {
  timer_.expires_after(interval_);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive) return;
    sweep_now();
    arm();
  });
}

void DeadlineSweep::add(Entry& entry) {
  if (entry.sweep_ != nullptr) return;
  entry.sweep_ = this;
  entry.place_ = entries_.insert(entries_.end(), &entry);
}

void DeadlineSweep::remove(Entry& entry) {
  if (entry.sweep_ != this) return;
  if (cursor_ == entry.place_) ++cursor_;  // it may go while the sweep stands before it
  entries_.erase(entry.place_);
  entry.sweep_ = nullptr;
}

void DeadlineSweep::sweep_now() {
  tick_ = clock_.steady();
  renew_date();
  for (cursor_ = entries_.begin(); cursor_ != entries_.end();) {
    Entry& entry = **cursor_++;
    if (entry.deadline_ > tick_) continue;
    entry.clear_deadline();
    entry.expired();
  }
}

// By hand: strftime asks the locale.
void DeadlineSweep::renew_date() {
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
  if (second == date_second_) return;
  date_second_ = second;
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t time = second;
  std::tm tm{};
  gmtime_r(&time, &tm);
  const auto two = [](int n) { return std::string{static_cast<char>('0' + n / 10), static_cast<char>('0' + n % 10)}; };
  date_ = std::string(kDays[tm.tm_wday]) + ", " + two(tm.tm_mday) + " " + kMonths[tm.tm_mon] + " " +
          std::to_string(tm.tm_year + 1900) + " " + two(tm.tm_hour) + ":" + two(tm.tm_min) + ":" + two(tm.tm_sec) +
          " GMT";
}

}  // namespace sallyport::net
