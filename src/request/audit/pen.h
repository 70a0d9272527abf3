// Writes a record into memory that was measured for the worst case before, so that nothing is checked or moved on the way.
// Internal to the audit stage.
#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/ascii.h"
#include "core/clock.h"
#include "request/audit/line.h"

namespace sallyport::audit {

// `,"name":` in a block of fixed size, so that copying it takes two moves and no call.
struct FieldName {
  std::array<char, 32> text{};
  std::uint8_t size = 0;
};

consteval FieldName field_name(std::string_view name) {
  FieldName field;
  for (const char c : {',', '"'}) field.text[field.size++] = c;
  for (const char c : name) field.text[field.size++] = c;
  for (const char c : {'"', ':'}) field.text[field.size++] = c;
  return field;
}

class Pen {
 public:
  static constexpr std::size_t kSlack = 32;  // what may be written behind the text
  static constexpr std::size_t kBytesPerByteMax = 6;  // of a quoted text: \u00XX
  explicit Pen(char* at) noexcept : at_(at) {}
  [[nodiscard]] char* at() const noexcept { return at_; }

  void name(const FieldName& field) noexcept {
    std::memcpy(at_, field.text.data(), field.text.size());
    at_ += field.size;
  }

  void raw(std::string_view text) noexcept {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }

  void quoted(std::string_view text) {
    *at_++ = '"';
    if (!ascii::copy_plain(at_, text)) return escaped(text);
    at_ += text.size();
    *at_++ = '"';
  }

  void number(std::uint64_t number) noexcept { at_ = std::to_chars(at_, at_ + 20, number).ptr; }

  void padded(std::uint64_t number, int width) noexcept {
    for (int i = width; i-- > 0; number /= 10) at_[i] = static_cast<char>('0' + number % 10);
    at_ += width;
  }

  // Seconds with six decimals.
  void seconds(std::int64_t micros) noexcept {
    const auto amount = static_cast<std::uint64_t>(micros > 0 ? micros : 0);
    number(amount / 1'000'000U);
    *at_++ = '.';
    padded(amount % 1'000'000U, 6);
  }

  // "2026-11-20T11:46:44.123456Z"
  void iso(WallTime time) noexcept {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const auto micros = static_cast<std::uint64_t>((time - day).count());
    const int year = static_cast<int>(date.year());
    padded(static_cast<std::uint64_t>(year > 0 ? year : 0), 4);
    *at_++ = '-';
    padded(static_cast<unsigned>(date.month()), 2);
    *at_++ = '-';
    padded(static_cast<unsigned>(date.day()), 2);
    *at_++ = 'T';
    padded(micros / 3'600'000'000U, 2);
    *at_++ = ':';
    padded(micros / 60'000'000U % 60, 2);
    *at_++ = ':';
    padded(micros / 1'000'000U % 60, 2);
    *at_++ = '.';
    padded(micros % 1'000'000U, 6);
    *at_++ = 'Z';
  }

  void hex(const merkle::Hash& hash) noexcept {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    for (const std::byte byte : hash) {
      *at_++ = kDigits[std::to_integer<unsigned>(byte) >> 4U];
      *at_++ = kDigits[std::to_integer<unsigned>(byte) & 15U];
    }
  }

 private:
  void escaped(std::string_view text) {  // rare: by way of a string of its own
    std::string slow;
    append_string(slow, text);
    --at_;
    raw(slow);
  }

  char* at_;
};

}  // namespace sallyport::audit
