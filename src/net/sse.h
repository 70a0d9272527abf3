// Server-sent events, both ways (WHATWG HTML 9.2; mcp-spec.md trap 12). The reader takes bytes as they come: CRLF, LF
// or CR, split anywhere, several data lines, BOM, comments. The writer refuses CR and LF, which would forge an event
// (design.md principle 4). One reader a stream; one thread. Limit: bytes of one event.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sallyport::net {

struct SseEvent {
  std::string_view event;  // "message" unless said otherwise
  std::string_view data;  // lines joined by LF
  std::string_view id;  // the last id seen on the stream; empty: none
};

class SseReader {
 public:
  explicit SseReader(std::size_t event_bytes_max = 16U << 20) : event_bytes_max_(event_bytes_max) {}

  // Calls `on_event` for each whole event with data, and for one without data but with an id of its own (a polling
  // stream's first event). Views live during the call. False from it stops the reading for good. Error:
  // upstream_too_large; the stream is then of no more use.
  Result<void> feed(std::string_view bytes, const std::function<bool(const SseEvent&)>& on_event);

  [[nodiscard]] std::string_view last_id() const noexcept { return last_id_; }
  [[nodiscard]] std::optional<std::uint32_t> retry_ms() const noexcept { return retry_ms_; }

 private:
  bool end_line(const std::function<bool(const SseEvent&)>& on_event);
  void field(std::string_view name, std::string_view value);
  bool dispatch(const std::function<bool(const SseEvent&)>& on_event);

  std::size_t event_bytes_max_;
  std::string line_, data_, event_, last_id_;
  std::optional<std::uint32_t> retry_ms_;
  bool first_line_ = true, after_cr_ = false, has_data_ = false, has_id_ = false, stopped_ = false;
};

// Appends "id: ID\ndata: DATA\n\n". `data`: minified JSON. Error: Code::internal when data or id hold CR, LF or NUL;
// nothing is appended then.
Result<void> append_event(std::string& out, std::string_view data, std::string_view id = {});

// An id with empty data, which asks the client to come back (MCP 2025-11-25, polling), and a keep-alive comment.
Result<void> append_poll_event(std::string& out, std::string_view id, std::uint32_t retry_ms);
inline constexpr std::string_view kKeepAliveComment = ": keep-alive\n\n";

}  // namespace sallyport::net
