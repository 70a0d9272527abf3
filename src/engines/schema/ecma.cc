#include "engines/schema/ecma.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace sallyport::schema {
namespace {

// ECMA-262 WhiteSpace and LineTerminator, as the inside of a class.
constexpr std::string_view kSpace =
    R"(\t\n\x0b\f\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff})";

constexpr std::array<std::pair<std::string_view, std::string_view>, 20> kProperties = {{
    {"Letter", "L"},
    {"Lowercase_Letter", "Ll"},
    {"Uppercase_Letter", "Lu"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Symbol", "S"},
    {"Currency_Symbol", "Sc"},
    {"Math_Symbol", "Sm"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Other", "C"},
    {"Control", "Cc"},
}};

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_(pattern) {}

  std::optional<std::string> run() {
    while (at_ < in_.size()) {
      if (!step()) return std::nullopt;
    }
    return in_class_ ? std::nullopt : std::optional(std::move(out_));
  }

 private:
  [[nodiscard]] bool next_is(std::string_view text) const { return in_.substr(at_).starts_with(text); }

  bool step() {
    const char c = in_[at_];
    if (c == '\\') return escape();
    if (in_class_) return in_class(c);
    if (c == '[') return open_class();
    if (next_is("(?")) return group();
    if (c == '.') {
      out_ += R"([^\n\r\x{2028}\x{2029}])";
    } else {
      out_ += c;
    }
    ++at_;
    return true;
  }

  bool in_class(char c) {
    if (c == ']') in_class_ = false;
    if (c == '[') out_ += '\\';  // no POSIX classes in ECMA-262
    out_ += c;
    ++at_;
    return true;
  }

  bool open_class() {
    const bool negated = next_is("[^");
    out_ += negated ? "[^" : "[";
    at_ += negated ? 2 : 1;
    in_class_ = true;
    return !next_is("]");  // [] and [^] mean something else to RE2
  }

  bool group() {
    if (next_is("(?:")) {
      out_ += "(?:";
      at_ += 3;
      return true;
    }
    if (!next_is("(?<") || next_is("(?<=") || next_is("(?<!")) return false;
    out_ += "(?P<";
    at_ += 3;
    return true;
  }

  bool escape() {
    if (at_ + 1 >= in_.size()) return false;
    const char c = in_[at_ + 1];
    constexpr std::string_view kSame = R"(dDwWbBfnrt^$\.*+?()[]{}|/-)";
    if (c == 's' || c == 'S') return space(c == 'S');
    if (c == 'u' || c == 'x') return code_point(c);
    if (c == 'p' || c == 'P') return property(c);
    if (c == 'v' || c == '0') return literal(c == 'v' ? R"(\x0b)" : R"(\x00)", 2);
    if (c == 'c') return control();
    if ((c == 'b' || c == 'B') && in_class_) return c == 'b' && literal(R"(\x08)", 2);
    const bool punctuation =
        c > ' ' && c < 0x7F && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') && c != '_';
    if (!punctuation && kSame.find(c) == std::string_view::npos) return false;
    return literal(in_.substr(at_, 2), 2);
  }

  bool literal(std::string_view text, std::size_t consumed) {
    out_ += text;
    at_ += consumed;
    return true;
  }

  bool space(bool negated) {
    if (in_class_) return !negated && literal(kSpace, 2);
    out_.append(negated ? "[^" : "[").append(kSpace).append("]");
    at_ += 2;
    return true;
  }

  bool control() {
    if (at_ + 2 >= in_.size()) return false;
    const char letter = static_cast<char>(in_[at_ + 2] | 0x20);
    return letter >= 'a' && letter <= 'z' && emit(static_cast<std::uint32_t>(letter - 'a' + 1), 3);
  }

  bool emit(std::uint32_t code, std::size_t consumed) {
    std::array<char, 8> hex;
    const auto [end, error] = std::to_chars(hex.data(), hex.data() + hex.size(), code, 16);
    out_.append("\\x{").append(hex.data(), end).append("}");
    at_ += consumed;
    return true;
  }

  // `digits` hex digits at `at`.
  [[nodiscard]] std::optional<std::uint32_t> hex(std::size_t at, std::size_t digits) const {
    std::uint32_t code = 0;
    if (digits == 0 || digits > 6 || at + digits > in_.size()) return std::nullopt;
    const auto [end, error] = std::from_chars(in_.data() + at, in_.data() + at + digits, code, 16);
    if (error != std::errc() || end != in_.data() + at + digits) return std::nullopt;
    return code;
  }

  bool code_point(char kind) {
    if (kind == 'u' && in_.substr(at_).starts_with("\\u{")) {
      const std::size_t close = in_.find('}', at_);
      if (close == std::string_view::npos) return false;
      const auto code = hex(at_ + 3, close - at_ - 3);
      return code && *code <= 0x10FFFF && emit(*code, close - at_ + 1);
    }
    const std::size_t digits = kind == 'u' ? 4 : 2;
    const auto code = hex(at_ + 2, digits);
    if (!code) return false;
    if (*code < 0xD800 || *code > 0xDFFF) return emit(*code, 2 + digits);
    const auto low = in_.substr(at_ + 6).starts_with("\\u") ? hex(at_ + 8, 4) : std::nullopt;
    if (*code > 0xDBFF || !low || *low < 0xDC00 || *low > 0xDFFF) return false;
    return emit(0x10000 + ((*code - 0xD800) << 10U) + (*low - 0xDC00), 12);
  }

  bool property(char kind) {
    const std::size_t close = in_.find('}', at_);
    if (!in_.substr(at_ + 2).starts_with('{') || close == std::string_view::npos) return false;
    std::string_view name = in_.substr(at_ + 3, close - at_ - 3);
    for (const std::string_view prefix : {"Script=", "sc=", "General_Category=", "gc="}) {
      if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    }
    for (const auto& [longer, shorter] : kProperties) {
      if (name == longer) name = shorter;
    }
    out_.append("\\").append(1, kind).append("{").append(name).append("}");
    at_ = close + 1;
    return true;
  }

  std::string_view in_;
  std::size_t at_ = 0;
  bool in_class_ = false;
  std::string out_;
};

}  // namespace

std::optional<std::string> ecma_to_re2(std::string_view pattern) { return Translator(pattern).run(); }

}  // namespace sallyport::schema
