// Internal to json: does an object repeat a key? Pairwise for small objects; for large ones by sorting hashes, and
// where hashes agree by sorting the keys themselves, so that chosen collisions cost n log n at worst, never n squared.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::json::detail {

class DuplicateFinder {
 public:
  void start() noexcept { keys_.clear(); }
  void add(std::string_view key) { keys_.push_back(key); }
  // Gives back what an unusually large object took.
  void trim() {
    if (keys_.capacity() > kKeysKept) *this = {};
  }
  // The first repeated key found, or null. Valid until the next call of start() or add().
  const std::string_view* find();

 private:
  static constexpr std::size_t kKeysKept = 1024;
  const std::string_view* find_among_many();
  const std::string_view* find_in_run(std::size_t begin, std::size_t end);

  std::vector<std::string_view> keys_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> hashes_;
  std::vector<std::uint32_t> run_;
};

std::uint64_t hash_bytes(std::string_view bytes) noexcept;

}  // namespace sallyport::json::detail
