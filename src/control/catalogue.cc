#include "control/catalogue.h"

#include <algorithm>
#include <set>

#include "engines/mcp_header/mcp_header.h"
#include "engines/schema/schema.h"
#include "json/slice.h"
#include "model/label.h"

namespace sallyport::control {
namespace {

std::string exposed_name(const ServerRecord& server, const std::string& name) {
  return server.prefix.empty() ? name : server.prefix + "_" + name;
}

// What a schema asks to see in headers; null where it asks for nothing, and does so without a fault.
std::shared_ptr<const mcp_header::Params> header_params(std::string_view input_schema) {
  auto params = mcp_header::read_schema(input_schema);
  if (params.params.empty() && params.invalid.empty()) return nullptr;
  return std::make_shared<const mcp_header::Params>(std::move(params));
}

}  // namespace

ToolRecord approve(const ServerRecord& server, const pin::Definition& definition, WallTime now,
                   const ToolRecord* before) {
  ToolRecord tool;
  tool.server = server.name;
  tool.name = definition.name;
  tool.exposed_name = exposed_name(server, definition.name);
  tool.definition = definition.raw;
  tool.digest = definition.digest;
  tool.title = definition.title;
  tool.description = definition.description;
  tool.security_level = server.security_level;
  tool.required = server.required;
  if (before != nullptr) tool.labels = before->labels;
  tool.created_at = before != nullptr ? before->created_at : now;
  tool.updated_at = before != nullptr && before->digest == tool.digest ? before->updated_at : now;
  if (before != nullptr) tool.usage = before->usage;
  return tool;
}

Drift compare(const Catalogue& catalogue, const std::string& server, const std::vector<pin::Definition>& listed) {
  Drift drift;
  static const std::map<std::string, ToolPtr, std::less<>> kNone;
  const auto found = catalogue.tools.find(server);
  const auto& approved = found == catalogue.tools.end() ? kNone : found->second;
  for (const auto& definition : listed) {
    const auto known = approved.find(definition.name);
    if (known == approved.end()) drift.added.push_back(definition.name);
    else if (known->second->digest != definition.digest) drift.changed.push_back(definition.name);
  }
  for (const auto& [name, tool] : approved) {
    const bool still = std::ranges::any_of(listed, [&](const auto& d) { return d.name == name; });
    if (!still) drift.removed.push_back(name);
  }
  return drift;
}

CatalogueBuilder::Compiled CatalogueBuilder::compile(const ToolRecord& tool) {
  if (const auto known = by_digest_.find(tool.digest); known != by_digest_.end()) return known->second;
  Compiled out;
  if (const auto input = json::member(tool.definition, "inputSchema")) {
    // A schema that cannot be compiled leaves `input` null, and calls of the tool are refused (fail closed).
    if (auto schema = schema::Schema::compile(*input)) out.input = std::move(*schema);
    out.header_params = header_params(*input);
  }
  if (const auto output = json::member(tool.definition, "outputSchema")) {
    // The same here: what could not be checked on its way out is not called at all.
    if (auto schema = schema::Schema::compile(*output)) out.output = std::move(*schema);
    else out.input.reset();
  }
  by_digest_.emplace(tool.digest, out);
  return out;
}

void CatalogueBuilder::put(Catalogue& catalogue, const ServerRecord& server, const ToolRecord& stored) {
  auto tool = std::make_shared<ToolRecord>(stored);
  tool->exposed_name = exposed_name(server, tool->name);
  tool->labels = united(server.labels, tool->labels);
  const Compiled compiled = compile(*tool);
  tool->input = compiled.input;
  tool->output = compiled.output;
  tool->header_params = compiled.header_params;
  catalogue.tools[server.name][tool->name] = tool;
  const auto [entry, fresh] = catalogue.exposed.emplace(tool->exposed_name, tool);
  if (!fresh) catalogue.collisions.push_back(tool->exposed_name + ": " + entry->second->server + " and " + server.name);
}

std::shared_ptr<const Catalogue> CatalogueBuilder::build(
    const std::map<std::string, ServerPtr, std::less<>>& servers, const Tools& tools,
    const std::map<std::string, ToolsetPtr, std::less<>>& toolsets) {
  auto catalogue = std::make_shared<Catalogue>();
  catalogue->servers = servers;
  catalogue->toolsets = toolsets;
  for (const auto& [name, server] : servers) {
    const auto found = tools.find(name);
    if (found == tools.end()) continue;
    for (const ToolRecord& stored : found->second) put(*catalogue, *server, stored);
  }
  put_registered(*catalogue, tools);
  forget_unused(*catalogue);
  return catalogue;
}

void CatalogueBuilder::put_registered(Catalogue& catalogue, const Tools& tools) {
  const auto registered = tools.find(kRegistry);
  if (registered == tools.end() || registered->second.empty()) return;
  auto registry = std::make_shared<ServerRecord>();
  registry->name = kRegistry;
  registry->transport = Transport::http;
  registry->forwards.clear();  // an endpoint asks nobody anything
  registry->call_timeout = std::chrono::seconds(300);  // each endpoint has its own
  // Last: a registered tool never takes the name that an upstream's tool has on /mcp (threats.md: shadowing).
  for (const ToolRecord& stored : registered->second) put(catalogue, *registry, stored);
  catalogue.registry = std::move(registry);
}

// Definitions that change often must not fill the memory.
void CatalogueBuilder::forget_unused(const Catalogue& catalogue) {
  std::set<std::string_view> used;
  for (const auto& [server, tools] : catalogue.tools) {
    for (const auto& [name, tool] : tools) used.insert(tool->digest);
  }
  std::erase_if(by_digest_, [&](const auto& entry) { return !used.contains(entry.first); });
}

}  // namespace sallyport::control
