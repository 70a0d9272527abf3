// Recorded decisions made once more under a candidate: the same engine, and the law that what is refused in phase list cannot
// be called. In slices, so that whoever runs it can do other things between. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "engines/decide/recorder.h"
#include "engines/policy/policy.h"

namespace sallyport {

struct ReplayDifference {
  std::string kind;  // "would_deny", "would_allow", "error"
  std::string principal, permission, server, tool;
  std::string recorded, candidate;  // rule and reason; of an error the error
};

struct ReplayReport {
  std::uint64_t compared = 0, would_deny = 0, would_allow = 0;
  std::uint64_t errors = 0;  // of the candidate: each would deny
  std::uint64_t left = 0;  // not looked at for want of time
  std::vector<ReplayDifference> differences;  // the first 1,000
};

// JSON object; no argument is in it.
std::string replay_text(const ReplayReport& report);

class Replay {
 public:
  // Code::validation with file, line and column: the modules do not compile.
  static Result<Replay> of(const policy::Modules& modules, std::vector<RecordedDecision> decisions);

  // Goes on until `slice` is over, one decision at least (25 ms at most); false: that was the last.
  bool step(const Clock& clock, std::chrono::nanoseconds slice);
  [[nodiscard]] ReplayReport report() const;

 private:
  struct Answer {
    bool allow = false;
    bool failed = false;
    std::string why;
  };
  Answer ask(const RecordedDecision& one);
  void compare(const RecordedDecision& one);

  policy::PolicyEngine engine_;
  std::vector<RecordedDecision> decisions_;
  std::size_t next_ = 0;
  ReplayReport report_;
};

}  // namespace sallyport
