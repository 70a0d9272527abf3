#include "net/http_reader.h"

#include <llhttp.h>

#include <algorithm>

#include "net/scrub.h"

namespace sallyport::net {
namespace {

constexpr std::array<std::string_view, 7> kMethods{"POST", "GET", "DELETE", "OPTIONS", "PUT", "HEAD", "PATCH"};

// A chunked body may be at most this much longer on the wire than decoded: chunk lines cost work too.
constexpr std::uint64_t chunk_overhead_max(std::uint64_t decoded) { return (64U << 10) + 8 * decoded; }

bool good_target(std::string_view target) {
  bool in_query = false;
  for (const char c : target) {
    if (c <= ' ' || c > '~' || c == '#' || c == '"' || c == '<' || c == '>' || c == '\\') return false;
    // Browsers send these raw in a query, nobody needs them in a path (RFC 3986 3.3).
    if (!in_query && (c == '^' || c == '`' || c == '{' || c == '|' || c == '}' || c == '[' || c == ']')) return false;
    if (c == '?') in_query = true;
  }
  return true;
}

}  // namespace

struct ChunkCallbacks {
  static RequestReader& reader(llhttp_t* parser) { return *static_cast<RequestReader*>(parser->data); }

  static int on_body(llhttp_t* parser, const char* at, std::size_t size) {
    auto& self = reader(parser);
    if (self.body_.size() + size > self.limits_.body_bytes) {
      self.fault(Code::body_too_large, "chunked body beyond the limit");
      return HPE_USER;
    }
    self.body_.append(at, size);
    return HPE_OK;
  }
  static int on_extension(llhttp_t* parser, const char*, std::size_t) {
    reader(parser).fault(Code::bad_framing, "chunk extension");
    return HPE_USER;
  }
  static int on_trailer(llhttp_t* parser, const char*, std::size_t) {
    reader(parser).fault(Code::bad_framing, "trailer field");
    return HPE_USER;
  }
  static int on_complete(llhttp_t*) { return HPE_PAUSED; }

  // Two sets: while the head is read nothing is called, and a header field after it is a trailer.
  static const llhttp_settings_t* head_settings() {
    static const llhttp_settings_t settings{};
    return &settings;
  }
  static const llhttp_settings_t* body_settings() {
    static const llhttp_settings_t settings = [] {
      llhttp_settings_t s{};
      s.on_body = on_body;
      s.on_chunk_extension_name = on_extension;
      s.on_header_field = on_trailer;
      s.on_message_complete = on_complete;
      return s;
    }();
    return &settings;
  }
};

RequestReader::RequestReader(HttpLimits limits) : limits_(limits), parser_(std::make_unique<llhttp_t>()) {}
RequestReader::~RequestReader() = default;

bool RequestReader::fault(Code code, std::string_view why) {
  if (state_ != State::failed) error_ = Error{code, std::string(why)};
  state_ = State::failed;
  return false;
}

void RequestReader::next() {
  state_ = State::head;
  scrub(head_bytes_);
  scan_.reset();
  scrub(body_);
  if (body_.capacity() > (1U << 20)) std::string().swap(body_);  // a large body's memory is not kept for a small one
  raw_body_bytes_ = 0;
  auto headers = std::move(head_.headers);  // its memory serves the next head; no view outlives the bytes
  headers.clear();
  head_ = RequestHead{.headers = std::move(headers)};
}

std::size_t RequestReader::feed(std::string_view bytes) {
  switch (state_) {
    case State::head: return feed_head(bytes);
    case State::body: return head_.chunked ? feed_chunks(bytes) : feed_length(bytes);
    case State::complete:
      if (!bytes.empty() && !head_.keep_alive) fault(Code::bad_framing, "bytes after a request that closes");
      return 0;
    case State::failed: break;
  }
  return 0;
}

std::size_t RequestReader::feed_head(std::string_view bytes) {
  std::size_t used = 0;
  const HeadScan::Limits limits{limits_.head_bytes, limits_.request_line_bytes, false};
  switch (scan_.take(head_bytes_, bytes, limits, used)) {
    case HeadScan::Step::more: break;
    case HeadScan::Step::fault: fault(scan_.code(), scan_.why()); break;
    case HeadScan::Step::end:
      if (!read_head() || !second_opinion()) break;
      state_ = head_.has_body() ? State::body : State::complete;
  }
  return used;
}

bool RequestReader::read_head() {
  std::string_view rest = head_bytes_;
  if (!read_request_line(next_line(rest))) return false;
  while (rest.size() > 2) {
    std::string_view why;
    const auto field = read_field(next_line(rest), why);
    if (!field) return fault(Code::bad_framing, why);
    if (head_.headers.size() >= limits_.header_count) return fault(Code::head_too_large, "too many headers");
    head_.headers.push_back({field->name, field->value});
  }
  return read_framing();
}

// RFC 9112 3: method SP request-target SP HTTP-version, one space each; origin-form only.
bool RequestReader::read_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return fault(Code::bad_framing, "malformed request line");
  const auto version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return fault(Code::bad_framing, "not HTTP/1.1 or HTTP/1.0");
  head_.http10 = version == "HTTP/1.0";
  head_.method = line.substr(0, first);
  if (std::ranges::find(kMethods, head_.method) == kMethods.end()) {
    return fault(valid_token(head_.method) ? Code::method_not_allowed : Code::bad_framing, "unknown method");
  }
  head_.target = line.substr(first + 1, last - first - 1);
  if (!head_.target.starts_with('/')) return fault(Code::bad_framing, "target not in origin-form");
  if (!good_target(head_.target)) return fault(Code::bad_framing, "character in the target that may not stand there");
  const auto question = head_.target.find('?');
  head_.path = head_.target.substr(0, question);
  if (question != std::string_view::npos) head_.query = head_.target.substr(question + 1);
  return true;
}

bool RequestReader::read_framing() {
  std::size_t hosts = 0;
  bool close = false, keep = false;
  for (const auto& [name, value] : head_.headers) {
    switch (name.size()) {  // cheap: most names differ in length from those that matter
      case 4:
        if (equals_ignoring_case(name, "host")) hosts += value.empty() ? 2 : 1;
        break;
      case 6:
        if (equals_ignoring_case(name, "expect") && !read_expect(value)) return false;
        break;
      case 7:
        if (equals_ignoring_case(name, "upgrade")) return fault(Code::bad_framing, "Upgrade");
        break;
      case 10:
        if (!equals_ignoring_case(name, "connection")) break;
        if (list_has(value, "upgrade")) return fault(Code::bad_framing, "Upgrade");
        close = close || list_has(value, "close");
        keep = keep || list_has(value, "keep-alive");
        break;
      case 14:
        if (equals_ignoring_case(name, "content-length") && !read_content_length(value)) return false;
        break;
      case 17:
        if (equals_ignoring_case(name, "transfer-encoding") && !read_transfer_encoding(value)) return false;
        break;
      default: break;
    }
  }
  if (hosts != 1) return fault(Code::bad_framing, "needs exactly one Host");
  if (head_.chunked && head_.has_length) return fault(Code::bad_framing, "both Content-Length and Transfer-Encoding");
  if (head_.content_length > limits_.body_bytes) return fault(Code::body_too_large, "Content-Length beyond the limit");
  head_.keep_alive = !close && (!head_.http10 || keep);
  return true;
}

bool RequestReader::read_expect(std::string_view value) {
  if (!equals_ignoring_case(value, "100-continue")) return fault(Code::bad_framing, "unknown Expect");
  head_.expect_continue = !head_.http10;  // RFC 9110 10.1.1: ignored from HTTP/1.0
  return true;
}

bool RequestReader::read_content_length(std::string_view value) {
  const auto length = read_length(value);
  if (head_.has_length || !length) return fault(Code::bad_framing, "Content-Length doubled or not a plain number");
  head_.has_length = true;
  head_.content_length = *length;
  return true;
}

bool RequestReader::read_transfer_encoding(std::string_view value) {
  if (head_.http10) return fault(Code::bad_framing, "Transfer-Encoding in HTTP/1.0");
  if (head_.chunked || !equals_ignoring_case(value, "chunked")) {
    return fault(Code::bad_framing, "Transfer-Encoding other than one `chunked`");
  }
  head_.chunked = true;
  return true;
}

bool RequestReader::second_opinion() {
  llhttp_init(parser_.get(), HTTP_REQUEST, ChunkCallbacks::head_settings());
  parser_->data = this;
  const auto verdict = llhttp_execute(parser_.get(), head_bytes_.data(), head_bytes_.size());
  const bool chunked = (parser_->flags & F_CHUNKED) != 0;
  if (verdict != HPE_OK || parser_->upgrade != 0 || (head_.has_body() && chunked != head_.chunked)) {
    return fault(Code::bad_framing, "the second reader disagrees");
  }
  if (head_.has_body() && !head_.chunked && parser_->content_length != head_.content_length) {
    return fault(Code::bad_framing, "the second reader disagrees about the length");
  }
  if (head_.chunked) {
    llhttp_settings_t* const settings = const_cast<llhttp_settings_t*>(ChunkCallbacks::body_settings());
    parser_->settings = settings;
  }
  return true;
}

std::size_t RequestReader::feed_length(std::string_view bytes) {
  const auto wanted = head_.content_length - body_.size();
  const auto used = std::min<std::uint64_t>(wanted, bytes.size());
  // A length that is only announced reserves little.
  if (body_.empty()) body_.reserve(std::min<std::uint64_t>(head_.content_length, 64U << 10));
  body_.append(bytes.substr(0, used));
  if (used == wanted) state_ = State::complete;
  return used;
}

std::size_t RequestReader::feed_chunks(std::string_view bytes) {
  const auto verdict = llhttp_execute(parser_.get(), bytes.data(), bytes.size());
  auto used = bytes.size();
  if (verdict == HPE_PAUSED) {
    used = static_cast<std::size_t>(llhttp_get_error_pos(parser_.get()) - bytes.data());
    state_ = State::complete;
  } else if (verdict != HPE_OK) {
    fault(Code::bad_framing, "malformed chunk");
  }
  raw_body_bytes_ += used;
  if (raw_body_bytes_ - body_.size() > chunk_overhead_max(body_.size())) {
    fault(Code::bad_framing, "chunk lines out of proportion");
  }
  return used;
}

}  // namespace sallyport::net
