// The revision without sessions (MCP 2026-07-28, Streamable HTTP): to which era a message belongs, whether its headers say
// what its body says, and which status its answer has.
#include "engines/mcp_header/mcp_header.h"
#include "json/writer.h"
#include "request/mcp/session.h"
#include "request/pipeline/pipeline.h"

namespace sallyport {
namespace {

using mcp::Method;

mcp_header::Lookup lookup_in(const net::RequestHead& head) {
  return [&head](std::string_view name) {
    std::vector<std::string_view> values;
    for (const auto& field : head.headers) {
      if (net::equals_ignoring_case(field.name, name)) values.push_back(field.value);
    }
    return values;
  };
}

// params.name or params.uri, which Mcp-Name repeats; nothing for methods that have neither.
std::optional<std::string_view> named_by(const mcp::Message& message) {
  switch (message.method) {
    case Method::tools_call:
    case Method::prompts_get: return message.name;
    case Method::resources_read: return message.uri;
    default: return std::nullopt;
  }
}

std::string versions_data(std::string_view requested) {
  json::Writer w;
  w.object().key("supported").array().value(revision_name(kModern)).end_array();
  return w.member("requested", requested).end_object().take();
}

Result<void> check_headers(const mcp::Message& message, const net::RequestHead& head) {
  const auto lookup = lookup_in(head);
  if (!message.envelope.version.empty()) {
    SP_CHECK(mcp_header::check_one("mcp-protocol-version", message.envelope.version, lookup));
  }
  SP_CHECK(mcp_header::check_one("mcp-method", message.method_name, lookup));
  if (const auto name = named_by(message)) SP_CHECK(mcp_header::check_one("mcp-name", *name, lookup));
  return {};
}

}  // namespace

// Trap 2 of the field: a probe carries an envelope before the era is known, so the envelope of this message decides for
// this message and for no other.
Result<void> Pipeline::choose_era(Flow& f, const net::RequestHead& head) {
  const auto header = head.find("MCP-Protocol-Version");
  const std::string& said = f.message->envelope.version;
  const bool header_modern = header && *header == revision_name(kModern);
  if (said.empty() && !header_modern) {
    const auto known = header ? revision_from(*header) : kLatestLegacy;
    if (known) return {};
    f.data = versions_data(*header);
    return fail(Code::unsupported_version, "MCP-Protocol-Version");
  }
  f.revision = kModern;
  f.record.protocol_version = revision_name(kModern);
  if (f.message->kind == mcp::Kind::response) return fail(Code::invalid_request, "a response: no request of ours is open");
  if (f.message->kind == mcp::Kind::notification) return {};  // their header rules are not defined (MCP 2026-07-28)
  SP_CHECK(check_headers(*f.message, head));
  if (said.empty()) return fail(Code::invalid_params, "params._meta lacks io.modelcontextprotocol/protocolVersion");
  if (said != revision_name(kModern)) {
    f.data = versions_data(said);
    return fail(Code::unsupported_version, "_meta protocolVersion");
  }
  if (f.message->envelope.client_capabilities.empty()) {
    return fail(Code::invalid_params, "params._meta lacks io.modelcontextprotocol/clientCapabilities");
  }
  if (const auto& level = f.message->envelope.log_level; !level.empty() && mcp::log_level_index(level) < 0) {
    return fail(Code::invalid_params, "_meta logLevel is no severity of RFC 5424");
  }
  return {};
}

// A tool's schema may ask to see arguments in headers: they must say the same (MCP 2026-07-28, headers). They are
// compared and never decide.
Result<void> Pipeline::check_param_headers(Flow& f) {
  const ToolRecord* const shown = f.called_as ? f.called_as.get() : f.tool.get();  // whose schema the client was shown
  if (!is_modern(f.revision) || shown == nullptr || !shown->header_params || f.exchange == nullptr) return {};
  auto checked = mcp_header::check(*shown->header_params, f.arguments, lookup_in(f.exchange->head()));
  if (!checked) f.say = "Header mismatch: " + checked.error().detail;
  return checked;
}

// MCP 2026-07-28, Streamable HTTP: what is wrong with the envelope is 400, an unknown method 404, all else 200.
int Pipeline::modern_status(const Flow& f, const Error& error) {
  switch (error.code) {
    case Code::method_not_found: return 404;
    case Code::header_mismatch:
    case Code::missing_capability:
    case Code::unsupported_version: return 400;
    default: return f.stage == Stage::mcp ? info(error.code).http_status : 200;
  }
}

}  // namespace sallyport
