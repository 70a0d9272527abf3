// What a message from a tool server is: read strictly as JSON first (json::read_upstream), then sorted here. Everything
// in it is hostile: ids that were never minted, results beside errors, methods that are no strings. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "request/upstream/call.h"

namespace sallyport::upstream {

struct Incoming {
  enum class Kind : std::uint8_t { result, error, request, notification };
  Kind kind = Kind::notification;
  std::optional<std::uint64_t> id;  // of an answer, where it is a number that we could have minted
  std::string_view raw_id;  // as sent: of a request, to be echoed
  std::string method;
  std::string_view params;  // raw object or empty
  std::string_view body;  // raw `result` or `error`
};

// `text` is minified JSON that passed read_upstream; the views point into it. Errors: upstream_protocol.
Result<Incoming> classify(std::string_view text);

// The same with the reading before it; `minified` owns what the views point into. A batch array is refused (removed in
// 2025-06-18, and we never send one). Errors: upstream_protocol, upstream_too_large.
Result<Incoming> read_incoming(std::string_view line, std::size_t bytes_max, std::string& minified);

// Our progress token inside the params of notifications/progress: we mint the request's own number.
std::optional<std::uint64_t> progress_token(std::string_view params);
// The raw requestId of notifications/cancelled; empty where there is none.
std::string_view cancelled_request(std::string_view params);
// `object` without its member `key`.
std::string without_member(std::string_view object, std::string_view key);

}  // namespace sallyport::upstream
