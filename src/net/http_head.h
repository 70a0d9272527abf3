// What the request and the response reader share: finding the end of a head while refusing what may never stand in
// one, and splitting its fields. Internal to net; pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace sallyport::net {

// RFC 9110 5.6.2: tchar.
constexpr std::array<bool, 256> kTokenChars = [] {
  std::array<bool, 256> table{};
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();
constexpr bool is_token_char(char c) noexcept { return kTokenChars[static_cast<unsigned char>(c)]; }

// Collects a head up to and with its empty line. Every line ends in CRLF, no control character but HTAB, nothing
// beyond ASCII (unless `obs_text`). The outcome does not depend on how the bytes were cut.
class HeadScan {
 public:
  enum class Step : std::uint8_t { more, end, fault };
  struct Limits {
    std::size_t head_bytes, first_line_bytes;
    bool obs_text;
  };

  // Appends what it uses of `in` to `head`. After `end` or `fault`: reset().
  Step take(std::string& head, std::string_view in, const Limits& limits, std::size_t& used);
  void reset() noexcept { line_start_ = 0; }
  [[nodiscard]] Code code() const noexcept { return code_; }
  [[nodiscard]] std::string_view why() const noexcept { return why_; }

 private:
  std::size_t take_lines(std::string& head, std::string_view in, const Limits& limits);
  Step take_byte(std::string& head, char c, const Limits& limits);
  Step fault(Code code, std::string_view why);

  std::size_t line_start_ = 0;
  Code code_ = Code::bad_framing;
  std::string_view why_;
};

struct FieldLine {
  std::string_view name, value;
};

// The field on `line` (without CRLF), value without surrounding blanks; nullopt and `why` when it is none.
std::optional<FieldLine> read_field(std::string_view line, std::string_view& why);

// Takes the next line off `rest`, without its CRLF.
std::string_view next_line(std::string_view& rest);

// RFC 9110 8.6, stricter: digits, no sign, no leading zero, below 10^18.
std::optional<std::uint64_t> read_length(std::string_view value);

// Is `token` in the comma-separated list `value`? Case-insensitive.
bool list_has(std::string_view value, std::string_view token);

}  // namespace sallyport::net
