#include "crypto/locked_key.h"

#include <sodium.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace sallyport::crypto {
namespace {

void* locked_block(std::size_t size) noexcept {
  static const bool ready = sodium_init() >= 0;
  void* const block = ready ? sodium_malloc(size) : nullptr;
  if (block == nullptr) {
    std::fputs("sallyport: no memory for a key\n", stderr);
    std::abort();
  }
  return block;
}

}  // namespace

void LockedKey::Release::operator()(Bytes* bytes) const noexcept { sodium_free(bytes); }

LockedKey::LockedKey() : bytes_(new(locked_block(sizeof(Bytes))) Bytes{}) {}

LockedKey LockedKey::random(Random& random) {
  LockedKey key;
  random.fill(key.writable());
  return key;
}

Result<LockedKey> LockedKey::copy_of(std::span<const std::byte> bytes) {
  if (bytes.size() != kLockedKeyBytes) return fail(Code::crypto, "a key has 32 bytes");
  LockedKey key;
  std::ranges::copy(bytes, key.writable().begin());
  return key;
}

}  // namespace sallyport::crypto
