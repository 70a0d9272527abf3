#include "net/http_head.h"

#include "net/http_message.h"

namespace sallyport::net {
namespace {

bool plain_text(std::string_view text, bool obs_text) {
  unsigned bad = 0;  // no early exit: the loop becomes vector code
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    bad |= static_cast<unsigned>((u < 0x20) & (u != '\t')) | static_cast<unsigned>(u == 0x7f) |
           static_cast<unsigned>((u >= 0x80) & !obs_text);
  }
  return bad == 0;
}

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

// The quick way for a whole line that is in order; whatever is not goes byte by byte, which alone judges.
bool HeadScan::take_line(std::string& head, std::string_view line, const Limits& limits) {
  if (line.size() < 2 || line[line.size() - 2] != '\r' || head.size() != line_start_) return false;
  if (head.size() + line.size() > (line_start_ == 0 ? limits.first_line_bytes : limits.head_bytes)) return false;
  if (!plain_text(line.substr(0, line.size() - 2), limits.obs_text)) return false;
  head.append(line);
  return true;
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
  used = 0;
  while (used < in.size()) {
    const auto rest = in.substr(used);
    const auto lf = rest.find('\n');
    const auto line = rest.substr(0, lf == std::string_view::npos ? lf : lf + 1);
    if (lf == std::string_view::npos || !take_line(head, line, limits)) {
      for (const char c : line) {
        if (take_byte(head, c, limits) == Step::fault) return Step::fault;
      }
    }
    used += line.size();
    if (lf == std::string_view::npos) return Step::more;
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
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !valid_token(line.substr(0, colon))) {
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
