// What the gateway says of itself: the openings of both eras, and what only the modern one knows.
#include "json/writer.h"
#include "request/mcp/dialect.h"
#include "request/mcp/dialect_edit.h"

namespace sallyport::mcp {
namespace {

std::string known_capabilities(Revision client, std::string_view offered) {
  std::string out = "{}";
  for (const std::string_view name : {"tools", "resources", "prompts", "logging", "completions"}) {
    if (name == "completions" && client < Revision::r2025_03_26) continue;  // the method was there, the word was not
    const auto value = json::member(offered, name);
    if (value && json::is_object(*value)) edit::append_member(out, name, *value);
  }
  return out;
}

}  // namespace

std::string initialize_result(Revision client, std::string_view capabilities, std::string_view instructions) {
  json::Writer w;
  w.object().member("protocolVersion", revision_name(client));
  w.member_raw("capabilities", known_capabilities(client, capabilities))
      .member_raw("serverInfo", edit::own_info(client));
  if (!instructions.empty()) w.member("instructions", instructions);
  return w.end_object().take();
}

std::string discover_result(std::string_view capabilities, std::string_view instructions) {
  json::Writer w;
  w.object().key("supportedVersions").array().value(revision_name(kModern)).end_array();
  w.member_raw("capabilities", known_capabilities(kModern, capabilities));
  if (!instructions.empty()) w.member("instructions", instructions);
  std::string out = w.member("ttlMs", 0).member("cacheScope", "private").end_object().take();
  edit::close_modern(out, "complete", {});
  return out;
}

std::string input_required_result(std::string_view input_requests, std::string_view request_state) {
  std::string out = "{}";
  if (!input_requests.empty()) edit::append_member(out, "inputRequests", input_requests);
  if (!request_state.empty()) edit::append_member(out, "requestState", request_state);
  edit::close_modern(out, "input_required", {});
  return out;
}

}  // namespace sallyport::mcp
