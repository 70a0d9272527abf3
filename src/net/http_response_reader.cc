#include "net/http_response_reader.h"

#include <llhttp.h>

#include <algorithm>

#include "net/scrub.h"

namespace sallyport::net {
namespace {

constexpr std::size_t kInterimBytesMax = 64U << 10;
constexpr std::size_t kSlotsReserved = 12;  // most answers have fewer fields
constexpr std::uint64_t chunk_overhead_max(std::uint64_t decoded) { return (64U << 10) + 8 * decoded; }
constexpr std::string_view kChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

std::optional<std::string_view> ResponseHead::find(std::string_view name) const noexcept {
  for (const auto& slot : slots_) {
    const auto field = view(slot);
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t ResponseHead::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(slots_, [&](const Slot& slot) { return equals_ignoring_case(view(slot).name, name); }));
}

std::vector<HeaderView> ResponseHead::headers() const {
  std::vector<HeaderView> all;
  all.reserve(slots_.size());
  for (const auto& slot : slots_) all.push_back(view(slot));
  return all;
}

HeaderView ResponseHead::view(const Slot& slot) const noexcept {
  const std::string_view bytes = bytes_;
  return {bytes.substr(slot.name, slot.name_size), bytes.substr(slot.value, slot.value_size)};
}

struct ResponseChunkCallbacks {
  static ResponseReader& reader(llhttp_t* parser) { return *static_cast<ResponseReader*>(parser->data); }
  static int on_body(llhttp_t* parser, const char* at, std::size_t size) {
    return reader(parser).take_body({at, size}) ? HPE_OK : HPE_USER;
  }
  static int on_extension(llhttp_t* parser, const char*, std::size_t) {
    reader(parser).fault(Code::upstream_protocol, "chunk extension");
    return HPE_USER;
  }
  static int on_trailer(llhttp_t* parser, const char*, std::size_t) {
    reader(parser).fault(Code::upstream_protocol, "trailer field");
    return HPE_USER;
  }
  static int on_complete(llhttp_t*) { return HPE_PAUSED; }

  static const llhttp_settings_t* settings() {
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

ResponseReader::ResponseReader(ResponseLimits limits) : limits_(limits) {}
ResponseReader::~ResponseReader() = default;

bool ResponseReader::fault(Code code, std::string_view why) {
  if (state_ != State::failed) error_ = Error{code, std::string(why)};
  state_ = State::failed;
  return false;
}

void ResponseReader::start(ResponseLimits limits, bool to_head) {
  limits_ = limits;
  to_head_ = to_head;
  state_ = State::head;
  started_ = keep_alive_ = false;
  interim_bytes_ = 0;
  remaining_ = body_total_ = raw_total_ = 0;
  scrub(head_.bytes_);
  head_.slots_.clear();
  scrub(body_);
  scan_.reset();
}

std::size_t ResponseReader::feed(std::string_view bytes) {
  started_ = started_ || !bytes.empty();
  if (state_ == State::head) return feed_head(bytes);
  if (state_ == State::body) return feed_body(bytes);
  return 0;
}

std::size_t ResponseReader::feed_head(std::string_view bytes) {
  std::size_t total = 0;
  while (state_ == State::head && total < bytes.size()) {
    std::size_t used = 0;
    const HeadScan::Limits limits{limits_.head_bytes, limits_.head_bytes, true};
    const auto step = scan_.take(head_.bytes_, bytes.substr(total), limits, used);
    total += used;
    if (step == HeadScan::Step::more) break;
    if (step == HeadScan::Step::fault) {
      fault(scan_.code() == Code::bad_framing ? Code::upstream_protocol : Code::upstream_too_large, scan_.why());
      break;
    }
    scan_.reset();
    if (read_head()) break;
  }
  return total;
}

// False: an interim answer (RFC 9110 15.2) was dropped, or the head is at fault.
bool ResponseReader::read_head() {
  std::string_view rest = head_.bytes_;
  const auto* const begin = head_.bytes_.data();
  const auto line = next_line(rest);
  if (!read_status_line(line)) return false;
  if (head_.status < 200) {
    interim_bytes_ += head_.bytes_.size();
    head_.bytes_.clear();
    return interim_bytes_ > kInterimBytesMax ? fault(Code::upstream_too_large, "too many interim answers") : false;
  }
  head_.slots_.reserve(kSlotsReserved);
  while (rest.size() > 2) {
    std::string_view why;
    const auto field = read_field(next_line(rest), why);
    if (!field) return fault(Code::upstream_protocol, why);
    if (head_.slots_.size() >= limits_.header_count) return fault(Code::upstream_too_large, "too many headers");
    head_.slots_.push_back(
        {static_cast<std::uint32_t>(field->name.data() - begin), static_cast<std::uint32_t>(field->name.size()),
         static_cast<std::uint32_t>(field->value.data() - begin), static_cast<std::uint32_t>(field->value.size())});
  }
  if (!read_framing(line.starts_with("HTTP/1.0"))) return false;
  end_head();
  return true;
}

// RFC 9112 4: HTTP-version SP 3DIGIT SP [reason]; the last blank is often left out with an empty reason.
bool ResponseReader::read_status_line(std::string_view line) {
  const bool version = line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ");
  if (!version || line.size() < 12 || (line.size() > 12 && line[12] != ' ')) {
    return fault(Code::upstream_protocol, "malformed status line");
  }
  int status = 0;
  for (const char c : line.substr(9, 3)) {
    if (c < '0' || c > '9') return fault(Code::upstream_protocol, "malformed status");
    status = status * 10 + (c - '0');
  }
  if (status < 100 || status > 599) return fault(Code::upstream_protocol, "status out of range");
  if (status == 101) return fault(Code::upstream_protocol, "a switch of protocols nobody asked for");
  head_.status = status;
  return true;
}

bool ResponseReader::read_framing(bool http10) {
  if (!read_lengths(http10)) return false;
  bool close = false, keep = false;
  for (const auto& slot : head_.slots_) {
    const auto field = head_.view(slot);
    if (!equals_ignoring_case(field.name, "connection")) continue;
    close = close || list_has(field.value, "close");
    keep = keep || list_has(field.value, "keep-alive");
  }
  const bool no_body = to_head_ || head_.status == 204 || head_.status == 304;
  if (no_body) framing_ = Framing::none;
  keep_alive_ = !close && (!http10 || keep) && framing_ != Framing::until_end;
  return true;
}

bool ResponseReader::read_lengths(bool http10) {
  framing_ = Framing::until_end;
  bool has_length = false, chunked = false;
  for (const auto& slot : head_.slots_) {
    const auto [name, value] = head_.view(slot);
    if (equals_ignoring_case(name, "content-length")) {
      const auto length = read_length(value);
      if (has_length || !length) return fault(Code::upstream_protocol, "Content-Length doubled or not a plain number");
      has_length = true;
      remaining_ = *length;
      framing_ = Framing::length;
    } else if (equals_ignoring_case(name, "transfer-encoding")) {
      if (http10 || chunked || !equals_ignoring_case(value, "chunked")) {
        return fault(Code::upstream_protocol, "Transfer-Encoding other than one `chunked`");
      }
      chunked = true;
      framing_ = Framing::chunked;
    }
  }
  if (has_length && chunked) return fault(Code::upstream_protocol, "both Content-Length and Transfer-Encoding");
  return true;
}

void ResponseReader::end_head() {
  state_ = State::body;
  if (framing_ == Framing::none || (framing_ == Framing::length && remaining_ == 0)) {
    state_ = State::complete;
  } else if (framing_ == Framing::length && remaining_ > limits_.body_bytes) {
    fault(Code::upstream_too_large, "Content-Length beyond the limit");
  } else if (framing_ == Framing::length) {
    body_.reserve(std::min<std::uint64_t>(remaining_, 64U << 10));
  } else if (framing_ == Framing::chunked) {
    start_chunks();
  }
}

// llhttp decodes the chunks; a head of our own brings it there, since the real one has been read already.
void ResponseReader::start_chunks() {
  static const llhttp_settings_t nothing{};
  if (!parser_) parser_ = std::make_unique<llhttp_t>();
  llhttp_init(parser_.get(), HTTP_RESPONSE, &nothing);
  parser_->data = this;
  if (llhttp_execute(parser_.get(), kChunkedHead.data(), kChunkedHead.size()) != HPE_OK) {
    fault(Code::internal, "chunk reader did not start");
  }
  parser_->settings = const_cast<llhttp_settings_t*>(ResponseChunkCallbacks::settings());
}

bool ResponseReader::take_body(std::string_view bytes) {
  body_total_ += bytes.size();
  if (body_total_ > limits_.body_bytes) return fault(Code::upstream_too_large, "body beyond the limit");
  body_.append(bytes);
  return true;
}

std::size_t ResponseReader::feed_body(std::string_view bytes) {
  if (framing_ == Framing::chunked) return feed_chunks(bytes);
  if (framing_ == Framing::length) bytes = bytes.substr(0, std::min<std::uint64_t>(remaining_, bytes.size()));
  if (!take_body(bytes)) return bytes.size();
  if (framing_ == Framing::length && (remaining_ -= bytes.size()) == 0) state_ = State::complete;
  return bytes.size();
}

std::size_t ResponseReader::feed_chunks(std::string_view bytes) {
  const auto verdict = llhttp_execute(parser_.get(), bytes.data(), bytes.size());
  auto used = bytes.size();
  if (verdict == HPE_PAUSED) {
    used = static_cast<std::size_t>(llhttp_get_error_pos(parser_.get()) - bytes.data());
    state_ = State::complete;
  } else if (verdict != HPE_OK) {
    fault(Code::upstream_protocol, "malformed chunk");
  }
  raw_total_ += used;
  if (raw_total_ - body_total_ > chunk_overhead_max(body_total_)) {
    fault(Code::upstream_protocol, "chunk lines out of proportion");
  }
  return used;
}

void ResponseReader::feed_end() {
  if (state_ == State::body && framing_ == Framing::until_end) {
    state_ = State::complete;
  } else if (state_ != State::complete) {
    fault(Code::upstream_unavailable, started_ ? "answer cut off" : "closed without an answer");
  }
}

}  // namespace sallyport::net
