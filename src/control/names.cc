#include "control/names.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace sallyport::control {
namespace {

constexpr std::size_t kNameBytesMax = 255;

struct Range {
  std::uint32_t first, last;
};
constexpr std::array<Range, 11> kUnseen{{{0x00, 0x1F},
                                         {0x7F, 0xA0},
                                         {0xAD, 0xAD},
                                         {0x61C, 0x61C},
                                         {0x180E, 0x180E},
                                         {0x2000, 0x200F},
                                         {0x2028, 0x202F},
                                         {0x205F, 0x206F},
                                         {0x3000, 0x3000},
                                         {0xFEFF, 0xFEFF},
                                         {0xE0000, 0xE007F}}};

bool unseen(std::uint32_t point) {
  return std::ranges::any_of(kUnseen, [&](Range range) { return point >= range.first && point <= range.last; });
}

// The code point at the front, which is taken off; what is no UTF-8 becomes 0 (RFC 3629: no overlong forms, surrogates).
std::uint32_t next_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0;
  };
  const std::uint32_t lead = byte(0);
  const std::size_t n = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  std::uint32_t point = n < 2 ? lead : lead & (0x7FU >> n);
  bool good = n > 0;
  for (std::size_t i = 1; i < n; ++i) {
    good = good && (byte(i) & 0xC0U) == 0x80;
    point = point << 6U | (byte(i) & 0x3FU);
  }
  good = good && (n != 3 || point >= 0x800) && (n != 4 || (point >= 0x10000 && point <= 0x10FFFF)) &&
         (point < 0xD800 || point > 0xDFFF);
  text.remove_prefix(good ? n : 1);
  return good ? point : 0;
}

bool all_seen(std::string_view text) {
  while (!text.empty()) {
    if (unseen(next_point(text))) return false;
  }
  return true;
}

}  // namespace

Result<void> check_name(std::string_view name, std::string_view what) {
  const bool bad = name.empty() || name.size() > kNameBytesMax || name.front() == ' ' || name.back() == ' ' ||
                   name == "." || name == ".." || !all_seen(name);
  if (bad) return fail(Code::validation, std::string(what) + " must have 1 to 255 printable characters");
  return {};
}

}  // namespace sallyport::control
