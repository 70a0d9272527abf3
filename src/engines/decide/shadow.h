// A candidate beside the policies in force: each decision that a policy was asked about is made once more as it would be made
// under the candidate, after the answer is fixed, and what differs is counted. It never changes an answer: nothing comes
// back from here. The candidate has a Decider of its own (the same roles, the same law, a memory of its own), 1 ms for an
// evaluation, and a tenth of the worker's time; what is over that is passed over and counted. Where it is too slow again
// and again, trying it stops until another one is tried. One a Decider, not thread-safe; in memory only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engines/decide/decide.h"

namespace sallyport {

enum class ShadowKind : std::uint8_t { would_deny, would_allow, would_oblige, error };
std::string_view shadow_kind_name(ShadowKind kind) noexcept;

// What differed for one principal, tool and phase; the newest of `count`.
struct ShadowDifference {
  ShadowKind kind{};
  std::string principal, server, tool, permission, phase;
  std::string active;  // rule and reason of the answer that was given
  std::string candidate;  // of the one that would have been; of an error the error
  std::uint64_t count = 0;
  WallTime at{};
};

struct ShadowReport {
  std::uint64_t version = 0;  // the candidate; 0: none is tried
  std::uint64_t against = 0;  // the version in force
  std::uint64_t compared = 0, would_deny = 0, would_allow = 0, would_oblige = 0;
  std::uint64_t errors = 0;  // of the candidate, too slow ones too: each would deny
  std::uint64_t skipped = 0;  // for want of time, and all since it was suspended
  bool suspended = false;
  std::vector<ShadowDifference> differences;  // at most 256; the longest unseen goes first
};

class Shadow {
 public:
  explicit Shadow(const Clock& clock);
  Shadow(const Shadow&) = delete;
  Shadow& operator=(const Shadow&) = delete;
  ~Shadow();

  // `answer` was given to `request`. Begins anew when the candidate or the policies in force are others.
  void compare(const Snapshot& snapshot, const AccessRequest& request, const Decision& answer) noexcept;
  // With the differences, or the counts alone.
  [[nodiscard]] ShadowReport report(bool with_differences) const;
  // Those seen for the first time since the last call; at most 256 of one candidate.
  std::vector<ShadowDifference> news();

 private:
  void begin(const Snapshot& snapshot);
  void weigh(const AccessRequest& request, const Decision& answer, const Decision& other);
  void note(ShadowKind kind, const AccessRequest& request, const Decision& answer, const Decision& other);
  void forget_one();
  [[nodiscard]] bool has_time();
  void took(std::chrono::nanoseconds time, bool failed);

  const Clock& clock_;
  std::unique_ptr<Decider> decider_;  // null: nothing is tried
  Snapshot beside_;  // as the one in force, the candidate in the place of the policies
  std::uint64_t candidate_epoch_ = 0;
  std::uint64_t active_epoch_ = 0;
  std::uint64_t begun_ = 0;  // the snapshot's epoch then; requests that began under an older one are passed over
  ShadowReport counts_;
  std::map<std::string, ShadowDifference, std::less<>> seen_;
  std::vector<ShadowDifference> news_;
  std::size_t told_ = 0;
  std::chrono::nanoseconds owed_{0};
  SteadyTime looked_{};
  int strain_ = 0;
};

}  // namespace sallyport
