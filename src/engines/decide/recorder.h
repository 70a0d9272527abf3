// What the policies were asked lately, for trying a candidate on it: a ring in memory, never on disk, since arguments may be
// private, and without secrets (DeciderSettings::hide). Calls and administrative actions (phase call), each distinct question once under each policy; lists and looks
// are left out. One a Decider, not thread-safe. RecordedDecision is a plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/result.h"
#include "engines/decide/decide.h"
#include "engines/rbac/held.h"
#include "json/writer.h"

namespace sallyport {

struct RecordedDecision {
  std::string package;  // "tool_access"
  std::string input;  // JSON object with every member that there is
  std::optional<std::string> arguments;  // as far as they may be kept
  std::string principal, permission, server, tool;
  std::uint64_t version = 0;  // of the policies that answered
  bool allow = false;
  std::string why;  // rule and reason; in place of the reason it says where `arguments` are not all that was judged
};

void write_recorded(json::Writer& w, const RecordedDecision& one);
// {"decisions": [...]} as write_recorded has them. Code::validation.
Result<std::vector<RecordedDecision>> read_recorded(std::string_view json);

class Recorder {
 public:
  using Hide = decltype(DeciderSettings::hide);
  explicit Recorder(std::size_t bytes_max, Hide hide = {}) : bytes_max_(bytes_max), hide_(std::move(hide)) {}

  // `answer` was given to `request`. What is bound to another tool is left out: its answer is that of two questions.
  void note(const Snapshot& snapshot, const AccessRequest& request, const Decision& answer) noexcept;
  [[nodiscard]] std::vector<RecordedDecision> all() const;  // the oldest first

 private:
  struct Kept {
    std::size_t key = 0;
    std::size_t bytes = 0;
    RecordedDecision decision;
  };
  void keep(std::size_t key, RecordedDecision decision);

  std::size_t bytes_max_;
  Hide hide_;
  rbac::HeldRoles roles_;
  std::string input_;
  std::size_t bytes_ = 0;
  std::deque<Kept> ring_;
  std::unordered_set<std::size_t> keys_;
};

}  // namespace sallyport
