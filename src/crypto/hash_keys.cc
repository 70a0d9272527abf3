#include "crypto/hash_keys.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/encoding.h"
#include "core/secret.h"
#include "crypto/hash.h"

namespace sallyport::crypto {
namespace {

constexpr std::size_t kHexDigits = 64;

std::string hash_under(const HashKey& generation, std::string_view key) {
  std::string digits = hex_encode(hmac_sha256(generation.key->bytes(), key));
  return generation.number == 1 ? digits : std::to_string(generation.number) + "." + digits;
}

}  // namespace

void FreshHashes::add(FreshHash hash) {
  if (count_.fetch_add(1, std::memory_order_relaxed) >= kMax) {
    count_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  Node* const node = std::make_unique<Node>(Node{std::move(hash), newest_.load(std::memory_order_relaxed)}).release();
  while (!newest_.compare_exchange_weak(node->next, node, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

std::vector<FreshHash> FreshHashes::take() {
  std::vector<FreshHash> out;
  for (Node* next = newest_.exchange(nullptr, std::memory_order_acquire); next != nullptr;) {
    const std::unique_ptr<Node> node(next);
    next = node->next;
    out.push_back(std::move(node->hash));
  }
  count_.fetch_sub(out.size(), std::memory_order_relaxed);
  return out;
}

HashKeys::HashKeys(std::vector<HashKey> keys, std::shared_ptr<FreshHashes> fresh)
    : keys_(std::move(keys)), fresh_(std::move(fresh)) {}

HashKey HashKeys::first_key(const KeyStore& keys) {
  LockedKey copy;
  std::ranges::copy(keys.key(Purpose::key_hashing), copy.writable().begin());
  return {1, {}, std::make_shared<const LockedKey>(std::move(copy))};
}

std::shared_ptr<const HashKeys> HashKeys::first_of(const KeyStore& keys) {
  return std::make_shared<const HashKeys>(std::vector{first_key(keys)}, std::make_shared<FreshHashes>());
}

std::string HashKeys::hash(std::string_view key) const { return hash_under(keys_.back(), key); }

bool HashKeys::matches(std::string_view key, std::string_view stored) const noexcept {
  const HashKey* const generation = find(generation_of(stored));
  if (generation == nullptr) return false;
  const std::string computed = hash_under(*generation, key);
  return equal_constant_time(as_bytes(computed), as_bytes(stored));
}

void HashKeys::shown(std::string_view id, std::string_view key, std::string_view stored) const {
  if (generation_of(stored) == keys_.back().number) return;
  fresh_->add({std::string(id), std::string(stored), hash(key)});
}

std::uint32_t HashKeys::generation_of(std::string_view stored) noexcept {
  if (stored.size() == kHexDigits) return 1;
  std::uint32_t number = 0;
  const char* const end = stored.data() + stored.size();
  const auto [at, error] = std::from_chars(stored.data(), end, number);
  const bool whole = error == std::errc() && end - at == static_cast<std::ptrdiff_t>(kHexDigits) + 1 && *at == '.';
  return whole && number > 1 ? number : 0;
}

const HashKey* HashKeys::find(std::uint32_t number) const noexcept {
  const auto found = std::ranges::find(keys_, number, &HashKey::number);
  return found == keys_.end() ? nullptr : &*found;
}

}  // namespace sallyport::crypto
