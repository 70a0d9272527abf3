#include "engines/merkle/merkle.h"

#include <algorithm>

#include "core/encoding.h"
#include "crypto/hash.h"

namespace sallyport::merkle {

Hash leaf_hash(std::span<const std::byte> data) {
  crypto::Sha256 hash;
  hash.update(std::string_view("\0", 1));
  hash.update(data);
  return hash.finish();
}

Hash node_hash(const Hash& left, const Hash& right) {
  std::array<std::byte, 65> input;
  input[0] = std::byte{1};
  std::ranges::copy(left, input.begin() + 1);
  std::ranges::copy(right, input.begin() + 33);
  return crypto::sha256(std::span<const std::byte>(input));
}

void Tree::append(const Hash& leaf) {
  Hash hash = leaf;
  // As in a binary counter: each trailing one of the old size is a complete subtree to be joined from the left.
  for (std::uint64_t rest = size_; (rest & 1U) != 0; rest >>= 1U) {
    hash = node_hash(complete_.back(), hash);
    complete_.pop_back();
  }
  complete_.push_back(hash);
  ++size_;
}

Hash Tree::head() const {
  if (complete_.empty()) return crypto::sha256(std::string_view());
  Hash hash = complete_.back();
  for (auto it = complete_.rbegin() + 1; it != complete_.rend(); ++it) hash = node_hash(*it, hash);
  return hash;
}

std::string to_hex(const Hash& hash) { return hex_encode(hash); }

}  // namespace sallyport::merkle
