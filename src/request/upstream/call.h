// The era-neutral model of one call to a tool server: what the pipeline hands over once a call is decided and
// validated, and what comes back. No revision of MCP shows here: codec.h turns it into wire messages at the far end.
// Plain values; a CallEvents is called only on the worker of the Session that runs the call, and never after the
// answer.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/task.h"
#include "engines/mcp_header/mcp_header.h"
#include "model/protocol.h"
#include "model/server.h"

namespace sallyport::upstream {

// Whether a call was handed to its server: from then on it may have been carried out, whatever comes back. Marked on the worker
// that calls, asked on the caller's.
class Begun {
 public:
  // `tool` and `called_as` (each may be null) count the call when it begins; `now` is the request's time.
  Begun(ToolPtr tool, ToolPtr called_as, WallTime now)
      : tool_(std::move(tool)), called_as_(std::move(called_as)), now_(now) {}
  // Right before the first byte of the request goes out; again where it is sent again.
  void mark() noexcept {
    if (marked_.exchange(true)) return;
    if (tool_) tool_->usage->note(now_);
    if (called_as_) called_as_->usage->note(now_);
  }
  [[nodiscard]] bool marked() const noexcept { return marked_; }

 private:
  ToolPtr tool_, called_as_;
  WallTime now_;
  std::atomic<bool> marked_{false};
};
using BegunPtr = std::shared_ptr<Begun>;

struct Call {
  std::string method;           // "tools/call"; never initialize, ping or a notification: the session owns those
  std::string params;           // minified JSON object; of its `_meta` the hop keys are dropped here; empty: none
  bool wants_progress = false;  // a progress token of our own is minted (MCP: tokens are unique per hop)
  SteadyTime deadline{};        // required; cut to the settings' call_max, which progress never extends
  bool asks_people = false;  // the deadline is the caller's: somebody may have to think in the middle
  // What only a modern server (2026-07-28) hears; on a legacy session it is ignored.
  std::string log_level;            // "info"; empty: none (a legacy session says it once, by logging/setLevel)
  std::string client_capabilities;  // raw object: what the client behind the call can answer, after policy; empty: {}
  std::string input_responses;      // a retry after input_required: raw object; empty: none
  std::string request_state;        // a retry: the server's own requestState, raw JSON string, exact; empty: none
  std::shared_ptr<const mcp_header::Params> header_params;  // tools/call: what its schema wants in Mcp-Param-* headers
  BegunPtr begun;  // null: nobody asks
};

// The raw `result` (or, when is_error, the JSON-RPC `error`) object of the upstream: minified, checked, never re-typed.
// A modern result keeps its resultType, ttlMs and cacheScope: the client's side knows what its revision may see.
struct Reply {
  bool is_error = false;
  std::string body;
  bool input_required = false;  // body is an InputRequiredResult (2026-07-28, multi round-trip requests)
};

// What arrives for a call before its answer. Views die when the function returns.
class CallEvents {
 public:
  virtual ~CallEvents() = default;
  // `params` of notifications/progress without progressToken.
  virtual void progress(std::string_view params) = 0;
  // Any other notification that belongs to the call: notifications/message.
  virtual void notification(std::string_view method, std::string_view params) = 0;
  // A legacy server's request inside the call: elicitation/create, sampling/createMessage, roots/list. Several may wait
  // at once. The default says -32601.
  virtual Task<Reply> on_request(std::string method, std::string params);
};

// The reply that says -32601 for `method`.
Reply method_not_found(std::string_view method);

// What initialize, or server/discover, told us.
struct ServerInfo {
  Revision revision = kLatestLegacy;
  std::string protocol_version;  // its name
  std::string capabilities;      // raw JSON object
  std::string server_info;       // raw JSON object: name, version, title...; shown, never trusted
  std::string instructions;
  [[nodiscard]] bool has(
      std::string_view capability) const;  // "tools", "resources", "prompts", "logging", "completions"
};

// What a server says outside any call: list_changed of tools, resources, prompts; resources/updated; logs that cannot
// be attributed to one call. `principal` is empty for a shared session.
struct Notice {
  std::string_view server;
  std::string_view principal;
  std::string_view method;
  std::string_view params;  // minified JSON object, or empty
};
using Listener = std::function<void(const Notice&)>;

// For the log: stderr of children, refused lines, restarts. `event` is a closed word ("stderr", "refused", "exit",
// ...).
using Log = std::function<void(std::string_view server, std::string_view event, std::string_view text)>;

}  // namespace sallyport::upstream
