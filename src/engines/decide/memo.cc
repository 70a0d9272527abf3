#include "engines/decide/memo.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace sallyport::decide_internal {

Memo::Memo(std::size_t entries) : entries_(entries == 0 ? 0 : std::bit_ceil(std::min<std::size_t>(entries, 1U << 20U))) {}

std::size_t Memo::place(std::string_view text) const noexcept {
  return std::hash<std::string_view>{}(text) & (entries_.size() - 1);
}

const Verdict* Memo::find(std::string_view text) const {
  if (entries_.empty() || text.empty()) return nullptr;
  const Entry& entry = entries_[place(text)];
  return entry.text == text ? &entry.verdict : nullptr;
}

void Memo::store(std::string_view text, Verdict verdict) {
  if (entries_.empty() || text.empty() || text.size() > kTextBytesMax) return;
  if (bytes_ + text.size() > kBytesMax) clear();
  Entry& entry = entries_[place(text)];
  bytes_ = bytes_ - entry.text.size() + text.size();
  entry.text = std::string(text);  // not assigned: a place keeps no room of a longer text
  entry.verdict = std::move(verdict);
}

void Memo::clear() {
  for (Entry& entry : entries_) entry = {};
  bytes_ = 0;
}

}  // namespace sallyport::decide_internal
