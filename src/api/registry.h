// What the handlers of tools share: finding one, who may read it, how it is shown. Internal to api.
#pragma once

#include <optional>
#include <string>

#include "api/route.h"

namespace sallyport::api {

// By "server/tool" or by the name that /mcp shows; null where there is none, readable or not.
ToolPtr tool_by_id(const Call& call, const std::string& id);
// decide(tool_read); of a tool bound to an upstream's, on both.
bool may_read(const Call& call, const ToolRecord& tool);
// What of a tool is shown.
struct ToolView {
  bool schemas = true;
  bool upstream = true;   // which upstream's tool it is bound to: to those who may read both
  bool endpoint = false;  // where its endpoint is: to those who may read servers
  bool use = true;        // how often it was called, and when last
  std::optional<double> similarity;  // to what was searched for
  bool s1 = false;        // by S1's alias a tool's name is the one that no other has, and GET /tools/{name} takes it
};
void write_tool(json::Writer& w, const Call& call, const ToolRecord& tool, ToolView view);
bool is_in(const ToolRecord& tool, std::string_view category);
// Does the path have no prefix? Then the answer is as S1 has it.
bool by_s1(const Call& call);
// May the caller see where things are (server:read)?
bool sees_places(const Call& call);
// prepare() for both.
Task<void> prepare_shown(Call& call, const ToolRecord& tool);
// {data, pagination}, or S1's {tools, total, page, per_page, total_pages} of whole tools where the path is S1's /tools.
Task<RestAnswer> list_of_tools(const Call& call, std::vector<ToolPtr> tools);
// Those of `tools` that the caller may read; decided in slices.
Task<std::vector<ToolPtr>> readable_of(const Call& call, std::vector<ToolPtr> tools);
// Why this server or endpoint may not be added by this door; nothing where it may.
std::optional<RestAnswer> may_add(const Call& call, const ServerRecord& server);

}  // namespace sallyport::api
