// The control plane's part for registered tools: check, store, publish, remove, search.
#include <algorithm>

#include "control/control_plane.h"
#include "control/vault_source.h"
#include "core/encoding.h"
#include "crypto/hash.h"
#include "engines/schema/schema.h"
#include "json/document.h"
#include "json/slice.h"
#include "json/writer.h"
#include "model/label.h"
#include "net/egress_target.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kToolsMax = 10'000;
constexpr std::size_t kNameMax = 255;      // requirements, line 124: S1's own limits
constexpr std::size_t kVersionMax = 50;
constexpr std::size_t kCallableNameMax = 128;  // MCP 2025-11-25, tools: 1 to 128 of [A-Za-z0-9_.-]
constexpr std::size_t kDescriptionMax = 16U << 10;
constexpr std::size_t kSchemaMax = 128U << 10;
constexpr std::size_t kLabelsMax = 32;
constexpr std::size_t kLabelBytesMax = 64;

bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<void> check_tool_name(std::string_view name, bool bound) {
  const bool bad = name.empty() || name.size() > kNameMax || name.front() == ' ' || name.back() == ' ' ||
                   name.find('/') != std::string_view::npos || !is_printable(name);
  if (bad) return fail(Code::validation, "a tool name has 1 to 255 printable characters and no /");
  if (name == "search") return fail(Code::validation, "\"search\" is the name of a route; choose another name");
  if (bound && !is_callable_name(name)) {
    return fail(Code::validation,
                "the name of a tool that can be called has 1 to 128 of A-Z a-z 0-9 _ . - (MCP, tools)");
  }
  return {};
}

Result<void> check_words(std::string_view what, const std::vector<std::string>& labels) {
  const bool bad = labels.size() > kLabelsMax || std::ranges::any_of(labels, [](const std::string& label) {
                     return label.empty() || label.size() > kLabelBytesMax || !is_printable(label);
                   });
  if (bad) return fail(Code::validation, std::string(what) + ": at most 32, each of 1 to 64 printable characters");
  return {};
}

Result<void> check_schema(const std::string& text) {
  if (text.size() > kSchemaMax) return fail(Code::validation, "schema: at most 128 KiB");
  const auto compiled = schema::Schema::compile(text);
  if (!compiled) return fail(Code::validation, "schema: " + compiled.error().detail);
  return {};
}

// The guard looks at the address of each connection; here the operator is told of what can never be.
Result<void> check_endpoint(const ServerRecord& endpoint) {
  if (!endpoint.url.starts_with("http://") && !endpoint.url.starts_with("https://")) {
    return fail(Code::validation, "endpoint must start with http:// or https://");  // S4-7
  }
  using std::chrono::milliseconds;
  if (endpoint.call_timeout < milliseconds(1000) || endpoint.call_timeout > milliseconds(300'000)) {
    return fail(Code::validation, "Timeout must be between 1 and 300 seconds");  // S0-22
  }
  net::Headers headers;
  for (const auto& [name, value] : endpoint.headers) {
    if (net::equals_ignoring_case(name, "content-type") || net::equals_ignoring_case(name, "accept")) {
      return fail(Code::validation, "endpoint_headers: " + name + " is not yours to set");
    }
    if (refers_to_principals(value)) {
      return fail(Code::validation, "endpoint_headers: " + name + ": an endpoint has no secrets of callers");
    }
    headers.emplace_back(name, value);
  }
  net::EgressPolicy policy;
  policy.allow_private = endpoint.allow_private;
  const auto target = net::EgressTarget::make(endpoint.url, std::move(policy), headers);
  if (!target) return fail(Code::validation, "endpoint: " + target.error().detail);
  return {};
}

std::string definition_of(const ToolRecord& tool, std::string_view schema) {
  json::Writer w;
  w.object().member("name", tool.name);
  if (!tool.title.empty()) w.member("title", tool.title);
  return w.member("description", tool.description).member_raw("inputSchema", schema).end_object().take();
}

Result<void> apply_texts(ToolRecord& tool, Registration& to, const ToolChange& what) {
  to.version = what.version.value_or(to.version);
  tool.title = what.title.value_or(tool.title);
  tool.description = what.description.value_or(tool.description);
  to.categories = what.categories.value_or(to.categories);
  to.tags = what.tags.value_or(to.tags);
  if (to.version.size() > kVersionMax || !is_printable(to.version)) {
    return fail(Code::validation, "version: at most 50 printable characters");
  }
  if (tool.title.size() > kNameMax || !is_printable(tool.title)) {
    return fail(Code::validation, "title: at most 255 printable characters");
  }
  if (tool.description.size() > kDescriptionMax) return fail(Code::validation, "description: at most 16 KiB");
  SP_CHECK(check_words("categories", to.categories));
  return check_words("tags", to.tags);
}

Result<void> apply_binding(const std::string& name, Registration& to, const ToolBinding& binding) {
  to.bound_server = binding.server;
  to.bound_tool = binding.tool;
  to.endpoint = nullptr;
  if (!binding.endpoint) return {};
  SP_CHECK(check_endpoint(*binding.endpoint));
  auto endpoint = std::make_shared<ServerRecord>(*binding.endpoint);
  endpoint->name = endpoint_name(name);
  to.endpoint = std::move(endpoint);
  return {};
}

}  // namespace

bool is_callable_name(std::string_view name) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
  return !name.empty() && name.size() <= kCallableNameMax && name.find_first_not_of(kAllowed) == std::string_view::npos;
}

Result<ToolRecord> changed_tool(ToolRecord tool, const ToolChange& what, WallTime now) {
  auto registration = std::make_shared<Registration>(*tool.registration);
  SP_CHECK(apply_texts(tool, *registration, what));
  if (what.binding) {
    SP_CHECK(apply_binding(tool.name, *registration, *what.binding));
  }
  SP_CHECK(check_tool_name(tool.name, registration->bound()));
  tool.security_level = what.security_level.value_or(tool.security_level);
  if (tool.security_level < 0 || tool.security_level > 10) {
    return fail(Code::validation, "security_level must be between 0 and 10");
  }
  tool.labels = what.labels.value_or(tool.labels);
  SP_CHECK(check_labels(tool.labels));
  tool.enabled = what.enabled.value_or(tool.enabled);
  std::string schema(json::member(tool.definition, "inputSchema").value_or(R"({"type":"object"})"));
  if (what.schema) {
    SP_CHECK(check_schema(*what.schema));
    schema = *what.schema;
  }
  tool.definition = definition_of(tool, schema);
  tool.digest = hex_encode(crypto::sha256(tool.definition));
  tool.updated_at = now;
  tool.registration = std::move(registration);
  return tool;
}

Task<Result<ToolPtr>> ControlPlane::put_registered(ToolRecord tool) {
  SP_CO_CHECK(deps_.repository.put_registered_tool(tool));
  const std::string name = tool.name;
  auto& all = tools_[std::string(kRegistry)];
  const auto known = std::ranges::find(all, name, &ToolRecord::name);
  if (known == all.end()) all.push_back(std::move(tool));
  else *known = std::move(tool);
  Snapshot next = *snapshot_;
  next.catalogue = catalogue();
  ToolPtr made = next.catalogue->tools.at(std::string(kRegistry)).at(name);
  SP_CO_CHECK(co_await publish(std::move(next)));
  co_return made;
}

Task<Result<ToolPtr>> ControlPlane::register_tool(std::string name, std::string owner, ToolChange what) {
  auto& all = tools_[std::string(kRegistry)];
  if (all.size() >= kToolsMax) co_return fail(Code::limit, "registered tools");
  auto registration = std::make_shared<Registration>();
  registration->owner = std::move(owner);
  ToolRecord fresh;
  fresh.server = kRegistry;
  fresh.name = fresh.exposed_name = std::move(name);
  fresh.registration = std::move(registration);
  fresh.created_at = deps_.clock.wall();
  SP_CO_TRY(ToolRecord tool, changed_tool(std::move(fresh), what, deps_.clock.wall()));
  if (std::ranges::find(all, tool.name, &ToolRecord::name) != all.end() ||
      snapshot_->catalogue->exposed.contains(tool.name)) {
    co_return fail(Code::already_exists, "the name " + tool.name + " is taken; choose another");
  }
  co_return co_await put_registered(std::move(tool));
}

Task<Result<ToolPtr>> ControlPlane::update_tool(std::string name, ToolChange what) {
  auto& all = tools_[std::string(kRegistry)];
  const auto known = std::ranges::find(all, name, &ToolRecord::name);
  if (known == all.end()) co_return fail(Code::not_found, "no registered tool " + name);
  SP_CO_TRY(ToolRecord tool, changed_tool(*known, what, deps_.clock.wall()));
  co_return co_await put_registered(std::move(tool));
}

Task<Result<void>> ControlPlane::unregister_tool(std::string name) {
  auto& all = tools_[std::string(kRegistry)];
  const auto known = std::ranges::find(all, name, &ToolRecord::name);
  if (known == all.end()) co_return fail(Code::not_found, "no registered tool " + name);
  SP_CO_CHECK(deps_.repository.delete_registered_tool(name));
  all.erase(known);
  Snapshot next = *snapshot_;
  next.catalogue = catalogue();
  SP_CO_CHECK(co_await publish(std::move(next)));
  co_await deps_.restart(endpoint_name(name));  // forgets its breaker
  co_return Result<void>{};
}

Task<Result<std::vector<ToolHit>>> ControlPlane::search_tools(std::string words, std::uint32_t most) {
  co_return deps_.repository.search_tools(words, most);
}

}  // namespace sallyport::control
