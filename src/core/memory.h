// Memory for what every request makes and drops anew: coroutine frames, its Flow. Blocks of one size class go round within
// a thread without a lock, whatever their size; malloc's thread cache ends at 1032 bytes and Asio's own keeps eight blocks of
// at most 1020. At most kKeptBytesMax a thread are held back; under AddressSanitizer nothing is, so that it sees every use.
#pragma once

#include <cstddef>

namespace sallyport::memory {

inline constexpr std::size_t kBlockBytesMax = 4096;  // larger ones are malloc's
inline constexpr std::size_t kKeptBytesMax = 4U << 20;

// At least `bytes`, aligned for any ordinary type. Throws std::bad_alloc.
void* take(std::size_t bytes);
// `bytes` as it was taken; on any thread.
void give(void* block, std::size_t bytes) noexcept;
// What this thread holds back at present.
std::size_t kept_bytes() noexcept;

}  // namespace sallyport::memory
