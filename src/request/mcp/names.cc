#include "request/mcp/names.h"

#include "json/slice.h"
#include "json/writer.h"

namespace sallyport::mcp {
namespace {

std::optional<Target> resolve(const Catalogue& catalogue, std::string_view exposed, char separator) {
  const auto at = exposed.find(separator);
  ServerPtr bare;
  for (const auto& [name, server] : catalogue.servers) {
    if (!server->enabled) continue;
    if (server->prefix.empty()) {
      if (!bare) bare = server;  // the first by name, as in Catalogue::exposed
    } else if (at != std::string_view::npos && exposed.substr(0, at) == server->prefix) {
      return Target{server, std::string(exposed.substr(at + 1))};
    }
  }
  if (bare) return Target{bare, std::string(exposed)};
  return std::nullopt;
}

std::string with_exposed_uri(const ServerRecord& server, std::string_view object) {
  const auto raw = json::member(object, "uri");
  if (!raw || !json::is_string(*raw)) return std::string(object);
  const auto uri = json::decode_string(*raw);
  if (!uri) return std::string(object);
  return with_string_member(object, "uri", expose_uri(server, *uri));
}

// One content block: resource_link carries `uri` itself, resource carries it one level down.
std::string expose_block(const ServerRecord& server, std::string_view block) {
  const auto type = json::member(block, "type");
  if (type == "\"resource_link\"") return with_exposed_uri(server, block);
  const auto resource = json::member(block, "resource");
  if (type != "\"resource\"" || !resource || resource->front() != '{') return std::string(block);
  std::string out(block.substr(0, static_cast<std::size_t>(resource->data() - block.data())));
  out += with_exposed_uri(server, *resource);
  out += block.substr(static_cast<std::size_t>(resource->data() + resource->size() - block.data()));
  return out;
}

// A prompt message holds one block in `content`.
std::string expose_message(const ServerRecord& server, std::string_view message) {
  const auto content = json::member(message, "content");
  if (!content || content->front() != '{') return std::string(message);
  std::string out(message.substr(0, static_cast<std::size_t>(content->data() - message.data())));
  out += expose_block(server, *content);
  out += message.substr(static_cast<std::size_t>(content->data() + content->size() - message.data()));
  return out;
}

using Mapper = std::string (*)(const ServerRecord&, std::string_view);

std::string map_array(const ServerRecord& server, std::string_view result, std::string_view key, Mapper mapper) {
  const auto array = json::member(result, key);
  if (!array || array->front() != '[') return std::string(result);
  std::string out(result.substr(0, static_cast<std::size_t>(array->data() - result.data())));
  out += '[';
  bool first = true;
  json::for_each_element(*array, [&](std::string_view element) {
    if (!first) out += ',';
    first = false;
    out += element.front() == '{' ? mapper(server, element) : std::string(element);
  });
  out += ']';
  out += result.substr(static_cast<std::size_t>(array->data() + array->size() - result.data()));
  return out;
}

}  // namespace

std::string expose_name(const ServerRecord& server, std::string_view name) {
  return server.prefix.empty() ? std::string(name) : server.prefix + "_" + std::string(name);
}

std::string expose_uri(const ServerRecord& server, std::string_view uri) {
  return server.prefix.empty() ? std::string(uri) : server.prefix + "+" + std::string(uri);
}

std::optional<Target> resolve_name(const Catalogue& catalogue, std::string_view exposed) {
  return resolve(catalogue, exposed, '_');
}

std::optional<Target> resolve_uri(const Catalogue& catalogue, std::string_view exposed) {
  return resolve(catalogue, exposed, '+');
}

bool is_part(std::string_view uri, std::string_view whole) {
  if (whole.empty() || !uri.starts_with(whole) || uri.size() == whole.size()) return false;
  return whole.ends_with('/') || std::string_view("/?#").contains(uri[whole.size()]);
}

std::string with_string_member(std::string_view object, std::string_view key, std::string_view value) {
  const auto raw = json::member(object, key);
  if (!raw) return std::string(object);
  std::string out(object.substr(0, static_cast<std::size_t>(raw->data() - object.data())));
  json::append_string(out, value);
  out += object.substr(static_cast<std::size_t>(raw->data() + raw->size() - object.data()));
  return out;
}

std::string with_member(std::string_view object, std::string_view key, std::string_view raw) {
  const auto old = json::member(object, key);
  if (old) {
    std::string out(object.substr(0, static_cast<std::size_t>(old->data() - object.data())));
    return out.append(raw).append(object.substr(static_cast<std::size_t>(old->data() + old->size() - object.data())));
  }
  std::string out(object.substr(0, object.size() - 1));
  if (out.size() > 1) out += ',';
  return out.append("\"").append(key).append("\":").append(raw).append("}");
}

std::string expose_result_uris(const ServerRecord& server, std::string_view result) {
  if (server.prefix.empty() || result.find("\"uri\"") == std::string_view::npos) return std::string(result);
  if (json::member(result, "contents")) return map_array(server, result, "contents", with_exposed_uri);
  if (json::member(result, "content")) return map_array(server, result, "content", expose_block);
  if (json::member(result, "messages")) return map_array(server, result, "messages", expose_message);
  return std::string(result);
}

std::string expose_item(const ServerRecord& server, std::string_view item) {
  for (const std::string_view key : {"uri", "uriTemplate"}) {
    const auto raw = json::member(item, key);
    if (!raw || !json::is_string(*raw)) continue;
    const auto uri = json::decode_string(*raw);
    return uri ? with_string_member(item, key, expose_uri(server, *uri)) : std::string(item);
  }
  const auto raw = json::member(item, "name");
  if (!raw || !json::is_string(*raw)) return std::string(item);
  const auto name = json::decode_string(*raw);
  return name ? with_string_member(item, "name", expose_name(server, *name)) : std::string(item);
}

}  // namespace sallyport::mcp
