#include "json/parser.h"

#include <algorithm>

#include "json/number.h"
#include "json/scan.h"
#include "json/unescape.h"

namespace sallyport::json::detail {
namespace {

constexpr unsigned kDepthCap = 1'000;

bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

void append_pointer_token(std::string& out, std::string_view key) {
  out += '/';
  for (const char c : key.substr(0, 64)) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
}

}  // namespace

Parser::Parser(std::string_view text, const ReadLimits& limits, bool big_numbers, Data& out, Desk& desk) noexcept
    : begin_(text.data()),
      end_(text.data() + text.size()),
      at_(begin_),
      kept_(begin_),
      depth_max_(std::min(limits.depth_max, kDepthCap)),
      nodes_max_(limits.nodes_max),
      big_numbers_(big_numbers),
      out_(out),
      stack_(desk.stack),
      duplicates_(desk.duplicates) {}

Result<void> Parser::run() {
  const auto size = static_cast<std::size_t>(end_ - begin_);
  out_.text.reserve(size);
  out_.nodes.reserve(size / 6 + 8);
  stack_.clear();
  for (;;) {
    space();
    Step step = value();
    while (step == Step::done) {
      if (stack_.empty()) {
        if (!trailing_space_only()) return fail(std::move(error_));
        return {};
      }
      step = after_value();
    }
    if (step == Step::error) return fail(std::move(error_));
  }
}

Parser::Step Parser::value() {
  if (at_ == end_) return error(Code::parse_error, "the text ends where a value is due");
  if (out_.nodes.size() >= nodes_max_) return error(Code::parse_error, "too many values");
  switch (*at_) {
    case '{':
      return open(true);
    case '[':
      return open(false);
    case '"':
      return string();
    case 't':
      return literal("true", Kind::boolean, true);
    case 'f':
      return literal("false", Kind::boolean, false);
    case 'n':
      return literal("null", Kind::null, false);
    default:
      return number();
  }
}

Parser::Step Parser::open(bool object) {
  if (stack_.size() >= depth_max_) return error(Code::parse_error, "nested too deeply");
  const std::uint32_t node = push(object ? Kind::object : Kind::array, at_, at_, 0);
  stack_.push_back({node, 0, 0, object});
  ++at_;
  space();
  if (at_ != end_ && *at_ == (object ? '}' : ']')) return close();
  return object ? key() : Step::value;
}

Parser::Step Parser::after_value() {
  Frame& frame = stack_.back();
  ++frame.count;
  space();
  if (at_ == end_) return error(Code::parse_error, "the text ends inside a container");
  if (*at_ == ',') {
    ++at_;
    if (!frame.object) return Step::value;
    space();
    return key();
  }
  if (*at_ == (frame.object ? '}' : ']')) return close();
  return error(Code::parse_error, frame.object ? "expected ',' or '}'" : "expected ',' or ']'");
}

Parser::Step Parser::close() {
  const Frame frame = stack_.back();
  if (frame.object && frame.count > 1 && !no_duplicates(frame)) return Step::error;
  ++at_;
  Node& node = out_.nodes[frame.node];
  node.end = place(at_);
  node.next = static_cast<std::uint32_t>(out_.nodes.size());
  node.set(frame.object ? Kind::object : Kind::array, frame.count);
  stack_.pop_back();
  return Step::done;
}

Parser::Step Parser::key() {
  Frame& frame = stack_.back();
  frame.key = 0;
  if (at_ == end_ || *at_ != '"') return error(Code::parse_error, "expected a key");
  if (out_.nodes.size() >= nodes_max_) return error(Code::parse_error, "too many values");
  const auto node = static_cast<std::uint32_t>(out_.nodes.size());
  if (string() == Step::error) return Step::error;
  frame.key = node;
  space();
  if (at_ == end_ || *at_ != ':') return error(Code::parse_error, "expected ':'");
  ++at_;
  return Step::value;
}

Parser::Step Parser::string() {
  const char* const start = at_;
  bool escaped = false;
  const char* p = find_special(start + 1, end_);
  while (p != end_ && *p != '"') {
    at_ = p;
    if (*p != '\\') return error(Code::parse_error, "control character inside a string");
    if (end_ - p < 2) break;
    escaped = true;
    p = find_special(p + 2, end_);
  }
  if (p == end_ || *p != '"') return error(Code::parse_error, "a string has no end");
  at_ = p + 1;
  const std::uint32_t node = push(Kind::string, start, at_, 0);
  if (escaped) {
    const std::size_t offset = out_.decoded.size();
    if (!unescape({start + 1, static_cast<std::size_t>(p - start - 1)}, out_.decoded)) {
      at_ = start;
      return error(Code::parse_error, "bad escape or lone surrogate in a string");
    }
    out_.nodes[node].next = static_cast<std::uint32_t>(offset);
    out_.nodes[node].set(Kind::string, out_.decoded.size() - offset);
  }
  return Step::done;
}

Parser::Step Parser::number() {
  bool integer = false;
  const std::size_t length = number_length({at_, static_cast<std::size_t>(end_ - at_)}, integer);
  if (length == 0) return error(Code::parse_error, "expected a value");
  const Kind kind = classify_number({at_, length}, integer);
  if (kind == Kind::big_number && !big_numbers_) return error(Code::invalid_request, "number out of range");
  push(kind, at_, at_ + length, 0);
  at_ += length;
  return Step::done;
}

Parser::Step Parser::literal(std::string_view word, Kind kind, bool truth) {
  if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) {
    return error(Code::parse_error, "expected a value");
  }
  push(kind, at_, at_ + word.size(), truth ? 1 : 0);
  at_ += word.size();
  return Step::done;
}

bool Parser::no_duplicates(const Frame& frame) {
  flush();
  duplicates_.start();
  for (std::uint32_t i = frame.node + 1; i < out_.nodes.size(); i = out_.after(i + 1)) {
    duplicates_.add(out_.string(out_.nodes[i]));
  }
  const std::string_view* repeated = duplicates_.find();
  if (repeated == nullptr) return true;
  stack_.pop_back();
  std::string what = "duplicate key ";
  append_pointer_token(what, *repeated);
  error(Code::invalid_request, what);
  return false;
}

bool Parser::trailing_space_only() {
  space();
  if (at_ != end_) {
    error(Code::parse_error, "text after the value");
    return false;
  }
  flush();
  return true;
}

inline void Parser::flush() {
  out_.text.append(kept_, static_cast<std::size_t>(at_ - kept_));
  kept_ = at_;
}

inline void Parser::space() {
  if (at_ == end_ || !is_space(*at_)) return;
  const char* p = at_;
  while (p != end_ && is_space(*p)) ++p;
  flush();
  dropped_ += static_cast<std::size_t>(p - at_);
  at_ = kept_ = p;
}

inline std::uint32_t Parser::push(Kind kind, const char* begin, const char* end, std::size_t payload) {
  Node node{place(begin), place(end), kPlain, 0};
  node.set(kind, payload);
  out_.nodes.push_back(node);
  return static_cast<std::uint32_t>(out_.nodes.size() - 1);
}

Parser::Step Parser::error(Code code, std::string_view what) {
  flush();  // the path is read from the text
  error_ = {code, "JSON: " + std::string(what) + " at offset " + std::to_string(at_ - begin_) + ", path \"" +
                      pointer() + '"'};
  return Step::error;
}

std::string Parser::pointer() const {
  constexpr std::size_t kLengthMax = 256;
  std::string path;
  for (const Frame& frame : stack_) {
    if (path.size() > kLengthMax) return path + "/...";
    if (!frame.object)
      path += '/' + std::to_string(frame.count);
    else if (frame.key != 0)
      append_pointer_token(path, out_.string(out_.nodes[frame.key]));
  }
  return path;
}

}  // namespace sallyport::json::detail
