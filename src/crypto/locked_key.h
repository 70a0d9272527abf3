// A symmetric key of 32 bytes for as long as it is in use: in memory of its own that is locked against swapping where
// RLIMIT_MEMLOCK allows it, left out of core dumps, fenced by guard pages and zeroed when it goes (libsodium's
// sodium_malloc). For the few keys that open others (key-encryption keys, data keys at work), each of which costs four
// pages and three system calls; what is merely carried is a Secret. Owned by one object; any thread may read it.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "core/random.h"
#include "core/result.h"

namespace sallyport::crypto {

inline constexpr std::size_t kLockedKeyBytes = 32;

class LockedKey {
 public:
  // 32 zero bytes, to be written by writable(). The process ends where there is no memory.
  LockedKey();
  static LockedKey random(Random& random);
  // Code::crypto for another length than 32 bytes.
  static Result<LockedKey> copy_of(std::span<const std::byte> bytes);

  LockedKey(LockedKey&&) noexcept = default;
  LockedKey& operator=(LockedKey&&) noexcept = default;

  // Not of an object that was moved from.
  [[nodiscard]] std::span<const std::byte, kLockedKeyBytes> bytes() const noexcept { return *bytes_; }
  [[nodiscard]] std::span<std::byte, kLockedKeyBytes> writable() noexcept { return *bytes_; }

 private:
  using Bytes = std::array<std::byte, kLockedKeyBytes>;
  struct Release {
    void operator()(Bytes* bytes) const noexcept;
  };
  std::unique_ptr<Bytes, Release> bytes_;
};

}  // namespace sallyport::crypto
