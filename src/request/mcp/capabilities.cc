#include "request/mcp/capabilities.h"

#include <algorithm>

#include "json/slice.h"
#include "json/writer.h"

namespace sallyport::mcp {
namespace {

bool is_url_elicitation(std::string_view params) { return json::member(params, "mode") == "\"url\""; }
bool samples_with_tools(std::string_view params) {
  return json::member(params, "tools").has_value() || json::member(params, "toolChoice").has_value();
}

// `elicitation: {}` means forms (MCP 2025-11-25, Elicitation: backwards compatibility).
bool elicits(std::string_view elicitation, std::string_view mode) {
  const auto form = json::member(elicitation, "form");
  const auto url = json::member(elicitation, "url");
  if (mode == "url") return url.has_value();
  return form.has_value() || !url.has_value();
}

}  // namespace

std::string_view capability_of(std::string_view method) noexcept {
  if (method == "elicitation/create") return "elicitation";
  if (method == "sampling/createMessage") return "sampling";
  if (method == "roots/list") return "roots";
  return {};
}

std::string forwarded_capabilities(std::string_view declared, const std::vector<std::string>& forwards, Revision client) {
  json::Writer w;
  w.object();
  for (const std::string_view name : {"elicitation", "sampling", "roots"}) {
    if (std::ranges::find(forwards, name) == forwards.end()) continue;
    const auto value = json::member(declared, name);
    if (!value || !json::is_object(*value)) continue;
    if (name == "elicitation" && client < Revision::r2025_06_18) continue;  // it came with that revision
    if (name == "roots") w.key(name).object().end_object();                 // list_changed of roots ends at the gateway
    else w.member_raw(name, *value);
  }
  return w.end_object().take();
}

bool can_answer(std::string_view declared, std::string_view method, std::string_view params) {
  const std::string_view name = capability_of(method);
  const auto value = json::member(declared, name);
  if (name.empty() || !value || !json::is_object(*value)) return false;
  if (name == "elicitation") return elicits(*value, is_url_elicitation(params) ? "url" : "form");
  if (name == "sampling" && samples_with_tools(params)) return json::member(*value, "tools").has_value();
  return true;
}

std::string allowed_responses(std::string_view responses, std::string_view declared) {
  const auto may = [&](std::string_view name) {
    const auto value = json::member(declared, name);
    return value && json::is_object(*value);
  };
  std::string out;
  json::for_each_member(responses, [&](std::string_view key, std::string_view response) {
    const auto has = [&](std::string_view name) { return json::member(response, name).has_value(); };
    const bool roots = has("roots"), elicited = has("action");
    const bool sampled = (!roots && !elicited) || has("role") || has("model");
    if ((roots && !may("roots")) || (elicited && !may("elicitation")) || (sampled && !may("sampling"))) return;
    out.append(out.empty() ? "{" : ",").append(key.data() - 1, key.size() + 2).append(":").append(response);
  });
  return out.empty() ? out : out + "}";
}

std::string required_capabilities(std::string_view method, std::string_view params) {
  json::Writer w;
  w.object().key(capability_of(method)).object();
  if (method == "elicitation/create" && is_url_elicitation(params)) w.key("url").object().end_object();
  if (method == "sampling/createMessage" && samples_with_tools(params)) w.key("tools").object().end_object();
  return w.end_object().end_object().take();
}

}  // namespace sallyport::mcp
