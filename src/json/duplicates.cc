#include "json/duplicates.h"

#include <algorithm>
#include <cstring>

namespace sallyport::json::detail {

std::uint64_t hash_bytes(std::string_view bytes) noexcept {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15U;
  std::uint64_t hash = bytes.size() * kMultiplier;
  const char* p = bytes.data();
  std::size_t left = bytes.size();
  const auto mix = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * kMultiplier;
    hash ^= hash >> 29U;
  };
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, 8);
    mix(word);
  }
  std::uint64_t tail = 0;
  if (left > 0) std::memcpy(&tail, p, left);
  mix(tail);
  return hash ^ (hash >> 32U);
}

const std::string_view* DuplicateFinder::find() {
  constexpr std::size_t kPairwiseMax = 16;
  if (keys_.size() > kPairwiseMax) return find_among_many();
  for (std::size_t i = 1; i < keys_.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (keys_[i].size() != keys_[j].size()) continue;
      if (keys_[i].empty() || (keys_[i].front() == keys_[j].front() && keys_[i] == keys_[j])) return &keys_[i];
    }
  }
  return nullptr;
}

const std::string_view* DuplicateFinder::find_among_many() {
  hashes_.clear();
  hashes_.reserve(keys_.size());
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    hashes_.emplace_back(hash_bytes(keys_[i]), static_cast<std::uint32_t>(i));
  }
  std::ranges::sort(hashes_);
  for (std::size_t begin = 0; begin < hashes_.size();) {
    std::size_t end = begin + 1;
    while (end < hashes_.size() && hashes_[end].first == hashes_[begin].first) ++end;
    if (end - begin > 1) {
      if (const auto* repeated = find_in_run(begin, end)) return repeated;
    }
    begin = end;
  }
  return nullptr;
}

const std::string_view* DuplicateFinder::find_in_run(std::size_t begin, std::size_t end) {
  run_.clear();
  for (std::size_t i = begin; i < end; ++i) run_.push_back(hashes_[i].second);
  std::ranges::sort(run_, {}, [this](std::uint32_t i) { return keys_[i]; });
  const auto twin = std::ranges::adjacent_find(run_, {}, [this](std::uint32_t i) { return keys_[i]; });
  return twin == run_.end() ? nullptr : &keys_[*twin];
}

}  // namespace sallyport::json::detail
