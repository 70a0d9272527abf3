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

inline bool is_structural(char c) noexcept {
  return c == '"' || c == '{' || c == '}' || c == '[' || c == ']';
}

// The first quote, brace or bracket in [p, end), or end.
inline const char* find_structural(const char* p, const char* end) noexcept {
#if defined(__SSE2__)
  // '[' and '{', ']' and '}' differ in bit 0x20 alone.
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i fold = _mm_set1_epi8(0x20);
  const __m128i open = _mm_set1_epi8('{');
  const __m128i close = _mm_set1_epi8('}');
  for (; end - p >= 16; p += 16) {
    __m128i block;
    std::memcpy(&block, p, sizeof block);
    const __m128i folded = _mm_or_si128(block, fold);
    const __m128i bracket = _mm_or_si128(_mm_cmpeq_epi8(folded, open), _mm_cmpeq_epi8(folded, close));
    const __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(block, quote), bracket);
    if (const int mask = _mm_movemask_epi8(hit); mask != 0) return p + std::countr_zero(static_cast<unsigned>(mask));
  }
#endif
  while (p != end && !is_structural(*p)) ++p;
  return p;
}

}  // namespace sallyport::json::detail
