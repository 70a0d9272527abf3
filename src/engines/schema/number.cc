#include "engines/schema/number.h"

#include <charconv>
#include <cmath>

namespace sallyport::schema {
namespace {

constexpr std::int64_t kExponentCap = 1'000'000'000'000'000;

std::int64_t parse_exponent(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::int64_t exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc() || exponent > kExponentCap) exponent = kExponentCap;
  return negative ? -exponent : exponent;
}

__extension__ using Wide = unsigned __int128;

std::uint64_t multiply(std::uint64_t a, std::uint64_t b, std::uint64_t modulus) {
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b % modulus);
}

std::uint64_t power_of_ten(std::int64_t exponent, std::uint64_t modulus) {
  std::uint64_t result = 1 % modulus;
  std::uint64_t base = 10 % modulus;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = multiply(result, base, modulus);
    base = multiply(base, base, modulus);
  }
  return result;
}

}  // namespace

Decimal Decimal::parse(std::string_view token) {
  Decimal out;
  out.negative = token.starts_with('-');
  if (out.negative) token.remove_prefix(1);
  const std::size_t e = std::min(token.find_first_of("eE"), token.size());
  if (e < token.size()) out.exponent = parse_exponent(token.substr(e + 1));
  const std::string_view mantissa = token.substr(0, e);
  const std::size_t dot = std::min(mantissa.find('.'), mantissa.size());
  out.digits = mantissa.substr(0, dot);
  if (dot < mantissa.size()) {
    out.digits += mantissa.substr(dot + 1);
    out.exponent -= static_cast<std::int64_t>(mantissa.size() - dot - 1);
  }
  out.digits.erase(0, std::min(out.digits.find_first_not_of('0'), out.digits.size()));
  const std::size_t last = out.digits.find_last_not_of('0');
  if (last == std::string::npos) return {};
  out.exponent += static_cast<std::int64_t>(out.digits.size() - last - 1);
  out.digits.resize(last + 1);
  return out;
}

std::strong_ordering Decimal::operator<=>(const Decimal& other) const {
  const auto sign = [](const Decimal& d) { return d.digits.empty() ? 0 : d.negative ? -1 : 1; };
  if (sign(*this) != sign(other)) return sign(*this) <=> sign(other);
  const auto magnitude = [](const Decimal& d) { return static_cast<std::int64_t>(d.digits.size()) + d.exponent; };
  std::strong_ordering order = magnitude(*this) <=> magnitude(other);
  if (digits.empty()) return std::strong_ordering::equal;
  if (order == std::strong_ordering::equal) order = digits.compare(other.digits) <=> 0;
  return negative ? 0 <=> order : order;
}

Number::Number(json::Value value) : token(value.raw()), integer(value.as_int64()) {
  if (value.kind() == json::Kind::real) real = value.as_double();
}

bool Number::is_integer() const {
  if (integer) return true;
  if (real && std::fabs(*real) < 9007199254740992.0 && *real != std::floor(*real)) return false;
  return Decimal::parse(token).is_integer();
}

std::strong_ordering compare(const Number& a, const Number& b) {
  if (a.integer && b.integer) return *a.integer <=> *b.integer;
  const auto exact = [](const Number& n) -> std::optional<double> {
    if (!n.integer) return n.real;
    if (*n.integer > (1LL << 53) || *n.integer < -(1LL << 53)) return std::nullopt;
    return static_cast<double>(*n.integer);
  };
  const auto x = exact(a);
  const auto y = exact(b);
  if (x && y && *x != *y) return *x < *y ? std::strong_ordering::less : std::strong_ordering::greater;
  return Decimal::parse(a.token) <=> Decimal::parse(b.token);
}

std::optional<Divisor> Divisor::make(json::Value value) {
  const Decimal decimal = Decimal::parse(value.raw());
  if (decimal.negative || decimal.digits.empty() || decimal.digits.size() > 18) return std::nullopt;
  Divisor out{.token = std::string(value.raw()), .exponent = decimal.exponent};
  std::from_chars(decimal.digits.data(), decimal.digits.data() + decimal.digits.size(), out.digits);
  return out;
}

bool Divisor::divides(const Number& number) const {
  const Decimal decimal = Decimal::parse(number.token);
  if (decimal.digits.empty()) return true;
  // No trailing zeros: a number finer than the divisor's last place is no multiple of it.
  if (decimal.exponent < exponent) return false;
  std::uint64_t rest = 0;
  for (const char c : decimal.digits)
    rest = (multiply(rest, 10, digits) + static_cast<std::uint64_t>(c - '0')) % digits;
  return multiply(rest, power_of_ten(decimal.exponent - exponent, digits), digits) == 0;
}

}  // namespace sallyport::schema
