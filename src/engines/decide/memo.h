// What the policy answered, remembered by one worker under the text that it saw: package, question and the input as far
// as its rules can read it. Fixed places, one answer each, the newest wins; the texts together are bounded. An answer counts
// only when the whole text is the same: compared, not hashed. Internal to engines/decide; not thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engines/decide/obligations.h"

namespace sallyport::decide_internal {

// A policy's answer, whoever asked about whatever.
struct Verdict {
  bool allow = false;
  std::string rule;  // "policy.tool_access.deny"
  std::string reason;  // for the caller
  std::string why;  // goes before the resource in the evidence
  ObligationsPtr obligations;
};

class Memo {
 public:
  // `entries`: rounded up to a power of two; 0: remembers nothing.
  explicit Memo(std::size_t entries);

  // Null where this text was not answered before. Valid until the next store() or clear().
  [[nodiscard]] const Verdict* find(std::string_view text) const;
  void store(std::string_view text, Verdict verdict);
  void clear();

 private:
  static constexpr std::size_t kTextBytesMax = 64U << 10U;  // one longer is not remembered
  static constexpr std::size_t kBytesMax = 8U << 20U;  // of all texts; beyond it everything is forgotten

  struct Entry {
    std::string text;  // empty: no answer
    Verdict verdict;
  };
  [[nodiscard]] std::size_t place(std::string_view text) const noexcept;

  std::vector<Entry> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace sallyport::decide_internal
