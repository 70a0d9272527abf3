// Inside cli only: the headers of one modern POST, made from the body that is sent (MCP 2026-07-28, Streamable HTTP,
// headers), and what tools/list said of the tools on this connection, which Mcp-Param-* needs. Plain values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "cli/client_message.h"
#include "engines/mcp_header/mcp_header.h"

namespace sallyport::cli {

class ToolHeaders {
 public:
  // One answer to tools/list, minified or not; anything else changes nothing. The cursor of the next page, raw, if any.
  std::optional<std::string> note_list(std::string_view answer);
  void forget();
  // Every page was seen: a tool that is not here does not exist.
  void complete() noexcept { complete_ = true; }
  // The list changed: what is known may be used, what is not must be asked for.
  void stale() noexcept { complete_ = false; }
  // Is the tool of this tools/call worth a tools/list first?
  [[nodiscard]] bool unknown(std::string_view tool) const { return !complete_ && !tools_.contains(tool); }

  // MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Param-*.
  [[nodiscard]] mcp_header::Headers of(const ClientMessage& message) const;

 private:
  std::map<std::string, mcp_header::Params, std::less<>> tools_;
  bool complete_ = false;
};

// A tools/list in the name of `message`: its envelope without what belongs to that request alone.
std::string list_request(const ClientMessage& message, std::string_view raw_id,
                         const std::optional<std::string>& raw_cursor);

}  // namespace sallyport::cli
