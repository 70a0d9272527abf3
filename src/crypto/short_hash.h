// A keyed hash of 128 bits (SipHash-2-4-128, libsodium): tells values in memory apart where whoever makes them must not be able to
// make two that count as one. Some 0.3 us a KB. Nothing that is stored depends on it. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace sallyport::crypto {

using ShortHash = std::array<std::byte, 16>;
using ShortHashKey = std::array<std::byte, 16>;

// `key`: random, and nobody else's.
[[nodiscard]] ShortHash short_hash(const ShortHashKey& key, std::string_view data) noexcept;

}  // namespace sallyport::crypto
