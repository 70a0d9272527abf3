#include "json/writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "json/scan.h"

namespace sallyport::json {
namespace {

void append_control(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u00";
  out += kHex[c >> 4U];
  out += kHex[c & 15U];
}

// The length of the well-formed UTF-8 sequence at `p` (RFC 3629 4), or 0.
std::size_t sequence_length(const unsigned char* p, std::size_t left) noexcept {
  const unsigned char c = p[0];
  const auto tail = [&](std::size_t i) { return i < left && (p[i] & 0xC0U) == 0x80U; };
  if (c < 0x80) return 1;
  if (c >= 0xC2 && c <= 0xDF) return tail(1) ? 2 : 0;
  if (c >= 0xE0 && c <= 0xEF) {
    if (!tail(1) || !tail(2)) return 0;
    if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F)) return 0;
    return 3;
  }
  if (c >= 0xF0 && c <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if ((c == 0xF0 && p[1] < 0x90) || (c == 0xF4 && p[1] > 0x8F)) return 0;
    return 4;
  }
  return 0;
}

// A stretch without quote, backslash or control character.
void append_run(std::string& out, std::string_view run) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < run.size();) {
    const auto c = static_cast<unsigned char>(run[i]);
    if (c < 0x80) {
      ++i;
      continue;
    }
    const auto* p = reinterpret_cast<const unsigned char*>(run.data()) + i;
    const std::size_t length = sequence_length(p, run.size() - i);
    const bool line_break = length == 3 && p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9);
    if (length == 0 || line_break) {
      out.append(run, kept, i - kept);
      out += length == 0 ? "\xEF\xBF\xBD" : (p[2] == 0xA8 ? "\\u2028" : "\\u2029");
      kept = i + (length == 0 ? 1 : 3);
    }
    i += length == 0 ? 1 : length;
  }
  out.append(run, kept);
}

template <class T>
void append_chars(std::string& out, T number) {
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), end);
}

}  // namespace

void append_string(std::string& out, std::string_view utf8) {
  out += '"';
  const char* p = utf8.data();
  const char* const end = p + utf8.size();
  while (p != end) {
    const char* const stop = detail::find_special(p, end);
    append_run(out, {p, static_cast<std::size_t>(stop - p)});
    if (stop == end) break;
    append_control(out, static_cast<unsigned char>(*stop));
    p = stop + 1;
  }
  out += '"';
}

void append_number(std::string& out, std::int64_t number) { append_chars(out, number); }
void append_number(std::string& out, std::uint64_t number) { append_chars(out, number); }
void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  append_chars(out, number);
}

void Writer::separate() {
  if (comma_) out() += ',';
}

Writer& Writer::open(char bracket) {
  separate();
  out() += bracket;
  comma_ = false;
  return *this;
}

Writer& Writer::close(char bracket) {
  out() += bracket;
  comma_ = true;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  append_string(out(), name);
  out() += ':';
  comma_ = false;
  return *this;
}

Writer& Writer::value(std::string_view text) {
  separate();
  append_string(out(), text);
  comma_ = true;
  return *this;
}

Writer& Writer::value(double number) {
  separate();
  append_number(out(), number);
  comma_ = true;
  return *this;
}

Writer& Writer::integer(std::int64_t number) {
  separate();
  append_number(out(), number);
  comma_ = true;
  return *this;
}

Writer& Writer::natural(std::uint64_t number) {
  separate();
  append_number(out(), number);
  comma_ = true;
  return *this;
}

Writer& Writer::raw(std::string_view json) {
  separate();
  out() += json;
  comma_ = true;
  return *this;
}

}  // namespace sallyport::json
