#include "json/number.h"

#include <charconv>
#include <cmath>
#include <cstdint>

namespace sallyport::json::detail {
namespace {

bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::size_t digits(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() && digit(text[at])) ++at;
  return at;
}

// Whether a number that from_chars called out of range is too small rather than too large. Its exponent may itself be
// beyond any integer type.
bool underflows(std::string_view token) noexcept {
  const std::size_t e = token.find_first_of("eE");
  const std::string_view mantissa = token.substr(0, e);
  const std::size_t dot = mantissa.find('.');
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return true;  // zero
  const std::int64_t point = static_cast<std::int64_t>(dot == std::string_view::npos ? mantissa.size() : dot);
  const std::int64_t magnitude = point - static_cast<std::int64_t>(first);
  std::int64_t exponent = 0;
  if (e != std::string_view::npos) {
    const std::size_t sign = token[e + 1] == '+' ? 2 : 1;
    const auto [end, error] = std::from_chars(token.data() + e + sign, token.data() + token.size(), exponent);
    if (error != std::errc()) return token[e + 1] == '-';
  }
  return exponent < -magnitude;
}

}  // namespace

std::size_t number_length(std::string_view text, bool& integer) noexcept {
  std::size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  if (at == text.size() || !digit(text[at])) return 0;
  at = text[at] == '0' ? at + 1 : digits(text, at);
  integer = true;
  if (at < text.size() && text[at] == '.') {
    integer = false;
    const std::size_t end = digits(text, at + 1);
    if (end == at + 1) return 0;
    at = end;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    integer = false;
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t end = digits(text, at);
    if (end == at) return 0;
    at = end;
  }
  return at;
}

Kind classify_number(std::string_view token, bool integer) noexcept {
  if (!integer) {
    if (token.size() <= 300 && token.find_first_of("eE") == std::string_view::npos) return Kind::real;
    return to_double(token) ? Kind::real : Kind::big_number;
  }
  if (token.size() <= 18) return Kind::integer;
  const char* const end = token.data() + token.size();
  std::int64_t number = 0;
  if (std::from_chars(token.data(), end, number).ec == std::errc()) return Kind::integer;
  std::uint64_t natural = 0;
  const bool fits = token[0] != '-' && std::from_chars(token.data(), end, natural).ec == std::errc();
  return fits ? Kind::unsigned_integer : Kind::big_number;
}

std::optional<double> to_double(std::string_view token) noexcept {
  double number = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  if (error == std::errc()) return std::isfinite(number) ? std::optional(number) : std::nullopt;
  if (!underflows(token)) return std::nullopt;
  return token[0] == '-' ? -0.0 : 0.0;
}

}  // namespace sallyport::json::detail
