// Internal to schema: numbers compared and divided exactly, as decimals, where machine numbers would round. Values
// only.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json/value.h"

namespace sallyport::schema {

// digits times 10 to the exponent; digits has neither leading nor trailing zeros and is empty for zero.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;

  static Decimal parse(std::string_view token);
  [[nodiscard]] bool is_integer() const noexcept { return exponent >= 0; }
  std::strong_ordering operator<=>(const Decimal& other) const;
};

// A JSON number with the machine form that holds it exactly, if one does. `token` must outlive it.
struct Number {
  explicit Number(json::Value value);
  [[nodiscard]] bool is_integer() const;

  std::string_view token;
  std::optional<std::int64_t> integer;
  std::optional<double> real;  // of tokens with fraction or exponent
};

std::strong_ordering compare(const Number& a, const Number& b);

// The number of a keyword, kept by a compiled schema.
struct Bound {
  explicit Bound(json::Value value) : token(value.raw()), number(value) { number.token = token; }
  Bound(const Bound& other) : token(other.token), number(other.number) { number.token = token; }
  Bound& operator=(const Bound&) = delete;

  std::string token;
  Number number;
};

// A divisor of at most 18 significant digits, greater than 0.
struct Divisor {
  // Nothing if it is not greater than 0 or has too many digits.
  static std::optional<Divisor> make(json::Value value);
  [[nodiscard]] bool divides(const Number& number) const;

  std::string token;
  std::uint64_t digits = 1;
  std::int64_t exponent = 0;
};

}  // namespace sallyport::schema
