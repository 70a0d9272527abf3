// What a child says on stderr, into the log: free-form text of a program that we do not trust, so lines are cut and
// counted, and more than some a minute are dropped and summed up. MCP: output there is no sign of failure. One worker.
#pragma once

#include <string>
#include <string_view>

#include "request/upstream/deps.h"
#include "request/upstream/settings.h"

namespace sallyport::upstream {

class StderrLog {
 public:
  StderrLog(const Deps& deps, const Settings& settings, std::string server)
      : deps_(deps),
        line_max_(settings.stderr_line_max),
        per_minute_(settings.stderr_lines_per_minute),
        server_(std::move(server)) {}

  void feed(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n') end_line();
      else if (line_.size() < line_max_) line_ += c;
    }
  }
  void end_line() {
    if (line_.empty()) return;
    renew_minute();
    if (used_ < per_minute_) deps_.say(server_, "stderr", line_);
    else ++dropped_;
    ++used_;
    line_.clear();
  }

 private:
  void renew_minute() {
    const SteadyTime now = deps_.clock.steady();
    if (now - minute_ < std::chrono::minutes(1)) return;
    if (dropped_ > 0) deps_.say(server_, "stderr_dropped", std::to_string(dropped_) + " lines");
    minute_ = now;
    used_ = dropped_ = 0;
  }

  const Deps& deps_;
  std::size_t line_max_;
  std::size_t per_minute_;
  std::string server_;
  std::string line_;
  SteadyTime minute_{};
  std::size_t used_ = 0;
  std::size_t dropped_ = 0;
};

}  // namespace sallyport::upstream
