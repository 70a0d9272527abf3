// Internal to json: scanning bytes many at a time. Never reads at or past `end`.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sallyport::json::detail {

inline bool ends_run(unsigned char c) noexcept { return c == '"' || c == '\\' || c < 0x20; }

// The first quote, backslash or control character in [p, end), or end.
inline const char* find_special(const char* p, const char* end) noexcept {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i slash = _mm_set1_epi8('\\');
  const __m128i control = _mm_set1_epi8(0x1F);
  for (; end - p >= 16; p += 16) {
    __m128i block;
    std::memcpy(&block, p, sizeof block);
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, control), block);
    const __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, slash)), low);
    if (const int mask = _mm_movemask_epi8(hit); mask != 0) return p + std::countr_zero(static_cast<unsigned>(mask));
  }
#endif
  while (p != end && !ends_run(static_cast<unsigned char>(*p))) ++p;
  return p;
}

// A bit for each of 64 bytes.
struct Masks {
  std::uint64_t quote = 0, backslash = 0, open = 0, close = 0;
};

// Of the 64 bytes at `p`. '[' and '{', ']' and '}' differ in bit 0x20 alone.
inline Masks masks(const char* p) noexcept {
  Masks out;
#if defined(__SSE2__)
  for (unsigned i = 0; i < 4; ++i) {
    __m128i block;
    std::memcpy(&block, p + 16 * i, sizeof block);
    const __m128i folded = _mm_or_si128(block, _mm_set1_epi8(0x20));
    const auto bits = [i](__m128i hit) {
      return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(hit))) << (16 * i);
    };
    out.quote |= bits(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')));
    out.backslash |= bits(_mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
    out.open |= bits(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')));
    out.close |= bits(_mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
  }
#else
  for (unsigned i = 0; i < 64; ++i) {
    const std::uint64_t bit = std::uint64_t{1} << i;
    if (p[i] == '"') out.quote |= bit;
    if (p[i] == '\\') out.backslash |= bit;
    if (p[i] == '{' || p[i] == '[') out.open |= bit;
    if (p[i] == '}' || p[i] == ']') out.close |= bit;
  }
#endif
  return out;
}

// Bit i is the parity of bits 0..i: inside a string after an odd number of quotes.
inline std::uint64_t prefix_xor(std::uint64_t bits) noexcept {
  for (unsigned shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

}  // namespace sallyport::json::detail
