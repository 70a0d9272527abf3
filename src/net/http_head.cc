#include "net/http_head.h"

#include "core/ascii.h"
#include "net/http_message.h"

namespace sallyport::net {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

HeadScan::Step HeadScan::fault(Code code, std::string_view why) {
  code_ = code;
  why_ = why;
  return Step::fault;
}

// The quick way for whole lines that are in order: all of them at once. Whatever is not goes byte by byte, which alone
// judges. Returns how much of `in` it took, up to and with the empty line.
std::size_t HeadScan::take_lines(std::string& head, std::string_view in, const Limits& limits) {
  if (head.size() != line_start_) return 0;
  std::size_t end = 0, lines = 0, last = 0;
  for (bool open = true; open; ++lines) {
    const auto cr = in.find('\r', end);
    if (cr == std::string_view::npos || cr + 1 >= in.size() || in[cr + 1] != '\n') break;
    if (line_start_ == 0 && lines == 0 && cr + 2 > limits.first_line_bytes) return 0;
    last = cr - end;
    end = cr + 2;
    open = last != 0;
  }
  if (end == 0 || head.size() + end > limits.head_bytes) return 0;
  // Each line has its CR and LF; one more control character, and something is not in order.
  if (ascii::count_controls(in.substr(0, end), !limits.obs_text) != 2 * lines) return 0;
  head.append(in, 0, end);
  line_start_ = head.size() - (last == 0 ? 2 : 0);
  return end;
}

HeadScan::Step HeadScan::take_byte(std::string& head, char c, const Limits& limits) {
  const auto u = static_cast<unsigned char>(c);
  const bool after_cr = head.size() > line_start_ && head.back() == '\r';
  if (c == '\n' && !after_cr) return fault(Code::bad_framing, "bare LF in the head");
  if (c != '\n' && after_cr) return fault(Code::bad_framing, "bare CR in the head");
  if (u >= 0x80 && !limits.obs_text) return fault(Code::bad_framing, "byte beyond ASCII in the head");
  if ((u < 0x20 && c != '\t' && c != '\r' && c != '\n') || u == 0x7f) {
    return fault(Code::bad_framing, "control character in the head");
  }
  if (line_start_ == 0 && head.size() >= limits.first_line_bytes) {
    return fault(Code::target_too_long, "first line too long");
  }
  if (head.size() >= limits.head_bytes) return fault(Code::head_too_large, "head too large");
  head.push_back(c);
  return Step::more;
}

HeadScan::Step HeadScan::take(std::string& head, std::string_view in, const Limits& limits, std::size_t& used) {
  used = take_lines(head, in, limits);
  if (used > 0 && head.size() - line_start_ == 2) return Step::end;
  while (used < in.size()) {
    const char c = in[used++];
    if (take_byte(head, c, limits) == Step::fault) return Step::fault;
    if (c != '\n') continue;
    if (head.size() - line_start_ == 2) return Step::end;  // an empty line
    line_start_ = head.size();
  }
  return Step::more;
}

std::optional<FieldLine> read_field(std::string_view line, std::string_view& why) {
  if (line.front() == ' ' || line.front() == '\t') {
    why = "folded header line";
    return std::nullopt;
  }
  std::size_t colon = 0;
  while (colon < line.size() && is_token_char(line[colon])) ++colon;
  if (colon == 0 || colon == line.size() || line[colon] != ':') {
    why = "malformed header name";
    return std::nullopt;
  }
  return FieldLine{line.substr(0, colon), trim(line.substr(colon + 1))};
}

std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find('\r');
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

std::optional<std::uint64_t> read_length(std::string_view value) {
  if (value.empty() || value.size() > 18 || (value.size() > 1 && value[0] == '0')) return std::nullopt;
  std::uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return std::nullopt;
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return length;
}

bool list_has(std::string_view value, std::string_view token) {
  while (!value.empty()) {
    const auto comma = value.find(',');
    if (equals_ignoring_case(trim(value.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    value.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace sallyport::net
