// What the policies were asked lately, for trying a candidate on it: a ring in memory, never on disk, since arguments may be
// private, and without secrets (DeciderSettings::hide). Calls and administrative actions (phase call), each distinct question once under each policy; lists and looks
// are left out. One a Decider, not thread-safe. RecordedDecision is a plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/result.h"
#include "engines/decide/caller.h"
#include "engines/decide/decide.h"
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
  // `key`: random; by it questions are told apart.
  explicit Recorder(std::size_t bytes_max, Hide hide = {}, const RecordKey& key = {})
      : bytes_max_(bytes_max), hide_(std::move(hide)), key_(key) {}

  // `answer` was given to `request`. What is bound to another tool is left out: its answer is that of two questions.
  void note(const Snapshot& snapshot, const AccessRequest& request, const Decision& answer) noexcept;
  [[nodiscard]] std::vector<RecordedDecision> all() const;  // the oldest first

 private:
  using Mark = std::array<std::byte, 16>;  // of a question
  struct OfMark {
    std::size_t operator()(const Mark& mark) const noexcept {
      std::size_t out = 0;
      std::memcpy(&out, mark.data(), sizeof out);
      return out;
    }
  };
  struct Kept {
    Mark mark{};
    std::size_t bytes = 0;
    RecordedDecision decision;
  };
  Mark mark_of(const Snapshot& snapshot, const AccessRequest& request, PermissionSet held);
  void keep(const Mark& mark, RecordedDecision decision);

  std::size_t bytes_max_;
  Hide hide_;
  RecordKey key_;
  decide_internal::Caller caller_;
  std::string question_;  // of the newest: its members, one after the other
  std::size_t bytes_ = 0;
  std::deque<Kept> ring_;
  std::unordered_set<Mark, OfMark> marks_;
};

}  // namespace sallyport
