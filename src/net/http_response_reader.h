// The strict HTTP/1.1 response reader of the egress client: status, fields, then the body as it comes, framed by
// length, chunks or the end of the connection (RFC 9112 6.3). Interim 1xx answers are passed over, 101 is refused.
// Network-free; one for each connection; one thread. Limits: head, body, 64 KiB of interim answers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "net/http_head.h"
#include "net/http_message.h"

struct llhttp__internal_s;

namespace sallyport::net {

struct ResponseLimits {
  std::size_t head_bytes = 16U << 10;
  std::size_t header_count = 100;
  std::uint64_t body_bytes = 16U << 20;
};

// Status and fields; owns its bytes.
class ResponseHead {
 public:
  int status = 0;
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
  [[nodiscard]] std::vector<HeaderView> headers() const;

 private:
  friend class ResponseReader;
  struct Slot {
    std::uint32_t name, name_size, value, value_size;
  };
  [[nodiscard]] HeaderView view(const Slot& slot) const noexcept;
  std::string bytes_;
  std::vector<Slot> slots_;
};

class ResponseReader {
 public:
  enum class State : std::uint8_t { head, body, complete, failed };

  explicit ResponseReader(ResponseLimits limits = {});
  ~ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  // Ready for the answer to a request; `to_head`: it was HEAD, so no body follows.
  void start(ResponseLimits limits, bool to_head);
  // Takes bytes, returns how many it used; stops after the head. Body bytes are appended to body().
  std::size_t feed(std::string_view bytes);
  // The connection ended. Completes a body that ends so, else fails.
  void feed_end();

  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] bool started() const noexcept { return started_; }  // at least one byte of an answer has arrived
  [[nodiscard]] const ResponseHead& head() const noexcept { return head_; }
  [[nodiscard]] ResponseHead take_head() { return std::move(head_); }
  [[nodiscard]] std::string& body() noexcept { return body_; }  // the caller may take and clear it between feeds
  [[nodiscard]] bool reusable() const noexcept { return state_ == State::complete && keep_alive_; }
  [[nodiscard]] const Error& error() const noexcept { return error_; }

 private:
  friend struct ResponseChunkCallbacks;
  enum class Framing : std::uint8_t { none, length, chunked, until_end };
  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_body(std::string_view bytes);
  std::size_t feed_chunks(std::string_view bytes);
  bool read_head();
  bool read_status_line(std::string_view line);
  bool read_framing(bool http10);
  bool read_lengths(bool http10);
  void end_head();
  void start_chunks();
  bool take_body(std::string_view bytes);
  bool fault(Code code, std::string_view why);

  ResponseLimits limits_;
  State state_ = State::head;
  Framing framing_ = Framing::none;
  bool started_ = false, to_head_ = false, keep_alive_ = false;
  std::size_t interim_bytes_ = 0;
  std::uint64_t remaining_ = 0, body_total_ = 0, raw_total_ = 0;
  HeadScan scan_;
  ResponseHead head_;
  std::string body_;
  Error error_;
  std::unique_ptr<llhttp__internal_s> parser_;
};

}  // namespace sallyport::net
