// Merkle tree of RFC 6962 (2.1): SHA-256, leaf = H(0x00 || data), node = H(0x01 || left || right). The tree keeps only
// the heads of its complete subtrees (at most 64 hashes), so that appending costs one node hash on average. Plain value,
// not thread-safe; owned by whoever appends.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sallyport::merkle {

using Hash = std::array<std::byte, 32>;

Hash leaf_hash(std::span<const std::byte> data);
Hash node_hash(const Hash& left, const Hash& right);

class Tree {
 public:
  void append(const Hash& leaf);
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  // Head of the tree (RFC 6962 2.1); of no leaves: SHA-256 of nothing.
  [[nodiscard]] Hash head() const;

 private:
  std::vector<Hash> complete_;  // heads of complete subtrees, largest first: one for each set bit of size_
  std::uint64_t size_ = 0;
};

std::string to_hex(const Hash& hash);

}  // namespace sallyport::merkle
