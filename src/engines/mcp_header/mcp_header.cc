#include "engines/mcp_header/mcp_header.h"

#include <algorithm>
#include <cmath>

#include "core/encoding.h"
#include "json/number.h"
#include "json/slice.h"

namespace sallyport::mcp_header {
namespace {

constexpr std::string_view kOpen = "=?base64?";
constexpr std::string_view kClose = "?=";
constexpr std::string_view kParam = "mcp-param-";
constexpr double kSafeInteger = 9007199254740991.0;  // 2^53-1

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::string_view trim(std::string_view text) {  // RFC 9110 5.6.3
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool is_visible(char c) { return c >= 0x20 && c <= 0x7e; }
bool is_marked(std::string_view text) { return text.starts_with(kOpen) && text.ends_with(kClose); }

std::string base64(std::string_view bytes) {
  std::string out = base64url_encode(as_bytes(bytes));
  std::ranges::replace(out, '-', '+');
  std::ranges::replace(out, '_', '/');
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

// RFC 4648 4, canonical: padded to four, no other characters, no stray bits.
std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.find_first_of("-_") != std::string_view::npos) return std::nullopt;
  const auto padding = text.ends_with("==") ? 2U : text.ends_with("=") ? 1U : 0U;
  std::string url(text.substr(0, text.size() - padding));
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  const auto bytes = base64url_decode(url);
  if (!bytes) return std::nullopt;
  return std::string(as_text(*bytes));
}

std::optional<std::string> integer_text(std::string_view raw) {
  const auto number = json::detail::to_double(raw);
  if (!number || std::abs(*number) > kSafeInteger || std::trunc(*number) != *number) return std::nullopt;
  return std::to_string(static_cast<std::int64_t>(*number));
}

bool is_number(std::string_view raw) { return !raw.empty() && (raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9')); }

// What the header must say; nothing where there must be none: no value, null, a value of another type (which the schema
// refuses), an integer beyond +-(2^53-1).
std::optional<std::string> expected(const Param& param, std::string_view arguments) {
  std::optional<std::string_view> value = arguments;
  for (const std::string& step : param.path) {
    value = json::member(*value, step);
    if (!value) return std::nullopt;
  }
  switch (param.type) {
    case Type::string:
      if (auto text = json::decode_string(*value)) return std::move(*text);
      return std::nullopt;
    case Type::boolean:
      if (*value == "true" || *value == "false") return std::string(*value);
      return std::nullopt;
    case Type::integer: return is_number(*value) ? integer_text(*value) : std::nullopt;
  }
  return std::nullopt;
}

// "42.0" is 42; digits beyond the safe range, exponents and leading zeros are no form of an integer here.
bool same_integer(std::string_view said, std::string_view canonical) {
  if (const auto dot = said.find('.'); dot != std::string_view::npos) {
    const std::string_view fraction = said.substr(dot + 1);
    if (fraction.empty() || fraction.find_first_not_of('0') != std::string_view::npos) return false;
    said = said.substr(0, dot);
  }
  return said == canonical || (said == "-0" && canonical == "0");
}

bool says(const Param& param, std::string_view field_value, const std::string& canonical) {
  const auto said = decode(field_value);
  if (!said) return false;
  return param.type == Type::integer ? same_integer(*said, canonical) : *said == canonical;
}

}  // namespace

std::string encode(std::string_view value) {
  const bool plain = !value.empty() && std::ranges::all_of(value, is_visible) && value.front() != ' ' &&
                     value.back() != ' ' && !is_marked(value);
  if (plain) return std::string(value);
  std::string out(kOpen);
  return out.append(base64(value)).append(kClose);
}

Result<std::string> decode(std::string_view field_value) {
  const std::string_view text = trim(field_value);
  if (!std::ranges::all_of(text, [](char c) { return is_visible(c) || c == '\t'; })) {
    return fail(Code::header_mismatch, "characters that no field value may have");
  }
  if (!is_marked(text)) return std::string(text);
  if (text.size() < kOpen.size() + kClose.size()) return fail(Code::header_mismatch, "not canonical base64");
  auto bytes = from_base64(text.substr(kOpen.size(), text.size() - kOpen.size() - kClose.size()));
  if (!bytes) return fail(Code::header_mismatch, "not canonical base64");
  return std::move(*bytes);
}

Headers make(const Params& params, std::string_view arguments) {
  Headers out;
  for (const Param& param : params.params) {
    if (auto value = expected(param, arguments)) out.emplace_back("Mcp-Param-" + param.header, encode(*value));
  }
  return out;
}

Result<void> check(const Params& params, std::string_view arguments, const Lookup& lookup) {
  for (const Param& param : params.params) {
    const auto want = expected(param, arguments);
    const auto said = lookup(std::string(kParam) + lower(param.header));
    const bool agree = want ? said.size() == 1 && says(param, said.front(), *want) : said.empty();
    if (!agree) return fail(Code::header_mismatch, "Mcp-Param-" + param.header);
  }
  return {};
}

Result<void> check_one(std::string_view header, std::string_view expected_value, const Lookup& lookup) {
  const std::string name = lower(header);
  const auto said = lookup(name);
  if (said.size() != 1) return fail(Code::header_mismatch, std::string(header));
  // Only Mcp-Name has an encoded form; elsewhere the marks would let two readers see two values.
  const auto value = name == "mcp-name" ? decode(said.front()) : Result<std::string>(trim(said.front()));
  if (!value || *value != expected_value) return fail(Code::header_mismatch, std::string(header));
  return {};
}

}  // namespace sallyport::mcp_header
