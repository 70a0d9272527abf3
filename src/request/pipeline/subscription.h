// What clients want to hear of outside their calls: subscriptions/listen of 2026-07-28, and resources/subscribe of a session
// whose tool server is modern. Kept on the principal's home worker, where its upstream sessions live. Internal to the pipeline.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/decision.h"
#include "model/principal.h"
#include "model/protocol.h"
#include "request/mcp/names.h"
#include "request/mcp/stream.h"

namespace sallyport {

inline constexpr std::size_t kListenersPerPrincipal = 16;
inline constexpr std::size_t kSubscribedUrisMax = 256;
inline constexpr std::size_t kSubscribedUriBytesMax = 4'096;
inline constexpr std::size_t kUrisPerCall = 8;  // of a subscriptions/listen: each further so many cost one more call

// A resource that a caller may subscribe to, and what that is bound to.
struct UsableUri {
  std::optional<mcp::Target> target;
  std::shared_ptr<const Obligations> obligations;
};

// One open subscriptions/listen stream.
struct Subscription {
  PrincipalPtr principal;
  std::string scope;
  std::string raw_id;  // of the listen request: every message on its stream names it
  bool tools = false, prompts = false, resources = false;
  std::map<std::pair<std::string, std::string>, std::string> uris;  // (server, its URI) -> as the client wrote it
  std::shared_ptr<mcp::EventStream> stream;

  // `params` with the subscription's id in `_meta`, on the stream.
  void tell(std::string_view method, std::string_view params) const;
  // The subset that was honoured, as `notifications` of the acknowledgement.
  [[nodiscard]] std::string honoured() const;
};

}  // namespace sallyport
