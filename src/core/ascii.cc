#include "core/ascii.h"

#include <bit>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sallyport::ascii {

namespace {

#if defined(__SSE2__)
__m128i load(const char* p) noexcept {
  __m128i block;
  std::memcpy(&block, p, sizeof block);
  return block;
}

// A bit for each byte that is not plain. Compared as signed numbers, bytes beyond ASCII are below the space.
unsigned odd_ones(__m128i block) noexcept {
  const __m128i low = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));
  const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7F));
  const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  const __m128i slash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, del), _mm_or_si128(quote, slash))));
}
#endif

}  // namespace

std::size_t plain_run(std::string_view text) noexcept {
  std::size_t at = 0;
#if defined(__SSE2__)
  for (; at + 16 <= text.size(); at += 16) {
    if (const unsigned odd = odd_ones(load(text.data() + at)); odd != 0) {
      return at + static_cast<std::size_t>(std::countr_zero(odd));
    }
  }
  if (at > 0 && at < text.size()) {  // the last bytes, with some that were seen already
    const unsigned odd = odd_ones(load(text.data() + text.size() - 16));
    return odd == 0 ? text.size() : text.size() - 16 + static_cast<std::size_t>(std::countr_zero(odd));
  }
#endif
  while (at < text.size() && plain(text[at])) ++at;
  return at;
}

std::size_t ascii_run(std::string_view text) noexcept {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

namespace {

std::uint64_t lower_word(const char* p) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  std::uint64_t word = 0;
  std::memcpy(&word, p, 8);
  const std::uint64_t low = word & (kOnes * 0x7F);
  const std::uint64_t from_a = low + kOnes * (0x80 - 'A'), beyond_z = low + kOnes * (0x7F - 'Z');  // high bit: it is
  return word | ((from_a ^ beyond_z) & ~word & (kOnes * 0x80)) >> 2U;
}

}  // namespace

bool equal_letters(std::string_view a, std::string_view b) noexcept {
  const std::size_t size = a.size();
  if (size < 8) {
    for (std::size_t i = 0; i < size; ++i) {
      if (to_lower(a[i]) != to_lower(b[i])) return false;
    }
    return true;
  }
  for (std::size_t at = 0; at + 8 <= size; at += 8) {
    if (lower_word(a.data() + at) != lower_word(b.data() + at)) return false;
  }
  return lower_word(a.data() + size - 8) == lower_word(b.data() + size - 8);
}

std::size_t count_controls(std::string_view text, bool high) noexcept {
  std::size_t count = 0, at = 0;
#if defined(__SSE2__)
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i block = load(text.data() + at);
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
    const __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('\t')), low),
                                     _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7F)));
    const auto bits = static_cast<unsigned>(_mm_movemask_epi8(bad) | (high ? _mm_movemask_epi8(block) : 0));
    if (bits != 0) count += static_cast<std::size_t>(std::popcount(bits));
  }
#endif
  for (; at < text.size(); ++at) {
    const auto u = static_cast<unsigned char>(text[at]);
    if ((u < 0x20 && u != '\t') || u == 0x7F || (high && u >= 0x80)) ++count;
  }
  return count;
}

bool copy_plain(char* out, std::string_view text) noexcept {
#if defined(__SSE2__)
  const char* const from = text.data();
  const std::size_t size = text.size();
  __m128i block;
  if (size >= 16) {
    unsigned odd = 0;
    for (std::size_t at = 0; at + 16 <= size; at += 16) {
      block = load(from + at);
      std::memcpy(out + at, &block, 16);
      odd |= odd_ones(block);
    }
    block = load(from + size - 16);
    std::memcpy(out + size - 16, &block, 16);
    return (odd | odd_ones(block)) == 0;
  }
  if (size >= 8) {
    std::uint64_t first = 0, last = 0;
    std::memcpy(&first, from, 8);
    std::memcpy(&last, from + size - 8, 8);
    std::memcpy(out, &first, 8);
    std::memcpy(out + size - 8, &last, 8);
    return odd_ones(_mm_set_epi64x(static_cast<long long>(first), static_cast<long long>(last))) == 0;
  }
  if (size >= 4) {
    std::uint32_t first = 0, last = 0;
    std::memcpy(&first, from, 4);
    std::memcpy(&last, from + size - 4, 4);
    std::memcpy(out, &first, 4);
    std::memcpy(out + size - 4, &last, 4);
    const int a = static_cast<int>(first), b = static_cast<int>(last);
    return odd_ones(_mm_set_epi32(a, b, a, b)) == 0;
  }
#endif
  bool all = true;
  for (std::size_t at = 0; at < text.size(); ++at) {
    out[at] = text[at];
    all = all && plain(text[at]);
  }
  return all;
}

}  // namespace sallyport::ascii
