// Inside cli only: one line of the stdio bridge's client, read strictly: what it is, which answers it is owed, and of
// which era. The era is the line's own: a modern envelope in params._meta says 2026-07-28, whatever was said before
// (mcp-spec.md section 3, trap 2). A plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::cli {

// Longest message taken from either side.
inline constexpr std::size_t kMessageMax = 64U << 20;

struct ClientMessage {
  enum class Kind : std::uint8_t { request, notification, response, batch, invalid };

  Kind kind = Kind::invalid;
  std::string text;              // minified: no CR or LF between tokens (trap 21)
  std::string method;            // of requests and notifications
  std::vector<std::string> ids;  // raw, of each request in it: one, or as many as a batch (2025-03-26) has
  std::string cancels;           // notifications/cancelled: the raw requestId
  std::string name;              // what Mcp-Name says of it; empty: no such header
  bool modern = false;           // it carries the envelope of 2026-07-28
  std::string version;           // the envelope's protocolVersion
  int error_code = 0;            // invalid: what is answered, to the id in `ids` or to null
  std::string error;

  [[nodiscard]] bool is(std::string_view what) const noexcept { return method == what; }
};

// Never fails: what is no message is Kind::invalid with its error (-32700, -32600).
ClientMessage read_client_line(std::string_view line);

}  // namespace sallyport::cli
