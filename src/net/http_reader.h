// The strict HTTP/1.1 request reader: one framing or a refusal (RFC 9112; design.md section 4). Our own rules read the
// head, llhttp reads it as a second opinion and decodes chunks; both have to agree. Network-free: it is fed bytes, so
// it can be tested, fuzzed and fed byte by byte with the same outcome. One for each connection; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/error.h"
#include "net/http_head.h"
#include "net/http_message.h"

struct llhttp__internal_s;

namespace sallyport::net {

struct HttpLimits {
  std::size_t head_bytes = 8U << 10;
  std::size_t request_line_bytes = 4U << 10;
  std::size_t header_count = 64;
  std::uint64_t body_bytes = 10U << 20;
};

class RequestReader {
 public:
  enum class State : std::uint8_t { head, body, complete, failed };

  explicit RequestReader(HttpLimits limits);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // Takes bytes and returns how many it used: it stops at the end of the head and at the end of the message, so that
  // the caller can decide between. In `complete` it uses none; but bytes after a message that closes are a fault.
  std::size_t feed(std::string_view bytes);

  [[nodiscard]] State state() const noexcept { return state_; }
  // Some of the next head has arrived.
  [[nodiscard]] bool started() const noexcept { return state_ != State::head || !head_bytes_.empty(); }
  // Valid in `body` and `complete`, until next().
  [[nodiscard]] const RequestHead& head() const noexcept { return head_; }
  // What has arrived of it; whole in `complete`. Valid until next().
  [[nodiscard]] std::string& body() noexcept { return body_; }
  // In `failed`: which rule was broken, e.g. {bad_framing, "two Host headers"}.
  [[nodiscard]] const Error& error() const noexcept { return error_; }
  // After `complete`: ready for the next message on the connection.
  void next();

 private:
  friend struct ChunkCallbacks;
  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_length(std::string_view bytes);
  std::size_t feed_chunks(std::string_view bytes);
  bool read_head();
  bool read_request_line(std::string_view line);
  bool read_framing();
  bool read_expect(std::string_view value);
  bool read_content_length(std::string_view value);
  bool read_transfer_encoding(std::string_view value);
  bool second_opinion();
  bool fault(Code code, std::string_view why);

  HttpLimits limits_;
  State state_ = State::head;
  HeadScan scan_;
  std::string head_bytes_;
  RequestHead head_;
  std::string body_;
  std::uint64_t raw_body_bytes_ = 0;  // chunked: as sent, with the chunk lines
  Error error_;
  std::unique_ptr<llhttp__internal_s> parser_;
};

}  // namespace sallyport::net
