// Each loop against the obvious one, for every byte at every place of texts around the sixteen bytes it looks at at once.
#include "core/ascii.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>

namespace sallyport {
namespace {

constexpr std::size_t kSizeMax = 40;

// `check(text)` for texts of plain letters with one other byte somewhere; each ends where its memory ends (ASan).
template <class Check>
void for_every_text(const Check& check) {
  for (std::size_t size = 0; size <= kSizeMax; ++size) {
    const std::unique_ptr<char[]> exact(new char[size]);
    std::memset(exact.get(), 'a', size);
    const std::string_view text(exact.get(), size);
    check(text);
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        exact[at] = static_cast<char>(byte);
        check(text);
      }
      exact[at] = 'a';
    }
  }
}

std::size_t run_of(std::string_view text, bool (*good)(char)) {
  std::size_t at = 0;
  while (at < text.size() && good(text[at])) ++at;
  return at;
}

TEST(Ascii, PlainRunEndsAtTheFirstByteThatAJsonStringEscapes) {
  for_every_text([](std::string_view text) { ASSERT_EQ(ascii::plain_run(text), run_of(text, ascii::plain)); });
}

TEST(Ascii, AsciiRunEndsAtTheFirstByteBeyondAscii) {
  for_every_text([](std::string_view text) {
    ASSERT_EQ(ascii::ascii_run(text), run_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  });
}

TEST(Ascii, LettersAreEqualInEitherCaseAndNothingElseIs) {
  for (const std::size_t size : {1U, 7U, 8U, 9U, 16U, 21U}) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int one = 0; one < 256; ++one) {
        for (int other = 0; other < 256; ++other) {
          std::string a(size, 'x'), b(size, 'X');
          a[at] = static_cast<char>(one);
          b[at] = static_cast<char>(other);
          ASSERT_EQ(ascii::equal_letters(a, b), ascii::to_lower(a[at]) == ascii::to_lower(b[at]))
              << one << " " << other;
        }
      }
    }
  }
}

TEST(Ascii, CountsEveryControlCharacterButTheTab) {
  for_every_text([](std::string_view text) {
    std::size_t controls = 0, high = 0;
    for (const char c : text) {
      const auto u = static_cast<unsigned char>(c);
      controls += (u < 0x20 && c != '\t') || u == 0x7F ? 1 : 0;
      high += u >= 0x80 ? 1 : 0;
    }
    ASSERT_EQ(ascii::count_controls(text, false), controls);
    ASSERT_EQ(ascii::count_controls(text, true), controls + high);
  });
}

TEST(Ascii, CopiesTheWholeTextAndSaysWhetherItIsPlain) {
  for_every_text([](std::string_view text) {
    const std::unique_ptr<char[]> out(new char[text.size() + 16]);
    const bool plain = ascii::copy_plain(out.get(), text);
    ASSERT_EQ(plain, run_of(text, ascii::plain) == text.size());
    if (plain) ASSERT_EQ(std::string_view(out.get(), text.size()), text);
  });
}

}  // namespace
}  // namespace sallyport
