// Results, listed items and notifications of a server, for its client.
#include "engines/mcp_header/mcp_header.h"
#include "json/canonical.h"
#include "json/document.h"
#include "request/mcp/dialect.h"
#include "request/mcp/dialect_edit.h"

namespace sallyport::mcp {
namespace {

using edit::text_of;
using Put = std::optional<std::string_view>;

// CacheableResult (MCP 2026-07-28, Caching).
bool is_cacheable(Method method) {
  switch (method) {
    case Method::discover:
    case Method::tools_list:
    case Method::prompts_list:
    case Method::resources_list:
    case Method::resource_templates_list:
    case Method::resources_read: return true;
    default: return false;
  }
}

// Milliseconds as the server wrote them; absent, negative or no integer: 0.
std::string_view ttl_of(Bridge bridge, Method method, std::string_view result) {
  if (method != Method::resources_read || !is_modern(bridge.server)) return "0";
  const auto raw = json::member(result, "ttlMs");
  const bool usable = raw && raw->size() <= 15 && raw->find_first_not_of("0123456789") == std::string_view::npos;
  return usable ? *raw : "0";
}

bool needs_shaping(Revision client, std::string_view blocks) {
  bool found = false;
  json::for_each_element(blocks, [&](std::string_view block) { found = found || edit::shaped_block(client, block); });
  return found;
}

std::string shaped_blocks(Revision client, std::string_view blocks) {
  return edit::elements(blocks, [client](std::string_view block) {
    return edit::shaped_block(client, block).value_or(std::string(block));
  });
}

// Does a text block hold this JSON already (MCP 2025-06-18, Tools: structured content SHOULD also stand in a text block)?
bool holds(std::string_view blocks, std::string_view json_text) {
  const auto wanted = json::read_upstream_document(json_text);
  const std::string canonical = wanted ? json::canonical(wanted->root()) : std::string();
  bool found = false;
  json::for_each_element(blocks, [&](std::string_view block) {
    if (found || text_of(block, "type") != "text") return;
    const auto text = text_of(block, "text");
    if (!text) return;
    const auto said = json::read_upstream_document(*text);
    found = *text == json_text || (wanted && said && json::canonical(said->root()) == canonical);
  });
  return found;
}

std::string as_text_block(std::string_view json_text) {
  return R"({"type":"text","text":)" + edit::quoted(json_text) + "}";
}

// One result on its way to one client.
class ResultShaper {
 public:
  ResultShaper(Bridge bridge, Method method, std::string_view result)
      : bridge_(bridge), method_(method), result_(result) {
    if (method != Method::tools_call || is_modern(bridge.client)) return;
    const auto structured = json::member(result, "structuredContent");
    const bool known = bridge.client >= Revision::r2025_06_18;
    if (structured && (!known || !json::is_object(*structured))) dropped_ = structured;
  }

  std::string shape() {
    std::string out =
        edit::members(result_, [this](std::string_view key, std::string_view value) { return member(key, value); });
    if (dropped_ && !content_seen_) edit::append_member(out, "content", "[" + as_text_block(*dropped_) + "]");
    if (!is_modern(bridge_.client)) return out;
    if (is_cacheable(method_)) {
      edit::append_member(out, "ttlMs", ttl_of(bridge_, method_, result_));
      edit::append_member(out, "cacheScope", R"("private")");
    }
    edit::close_modern(out, "complete", meta_.value_or(""));
    return out;
  }

 private:
  Put member(std::string_view key, std::string_view value) {
    if (key == "_meta") return meta(value);
    if (is_of_modern_envelope(key)) return std::nullopt;
    if (method_ == Method::tools_call && key == "structuredContent" && dropped_) return std::nullopt;
    if (method_ == Method::tools_call && key == "content") return content(value);
    if (method_ == Method::prompts_get && key == "messages") return messages(value);
    return value;
  }

  // Between two legacy peers these are words like any other.
  [[nodiscard]] bool is_of_modern_envelope(std::string_view key) const {
    if (!is_modern(bridge_.client) && !is_modern(bridge_.server)) return false;
    return key == "resultType" || key == "ttlMs" || key == "cacheScope";
  }

  Put meta(std::string_view value) {
    meta_ = edit::cleaned_meta(value);
    if (is_modern(bridge_.client)) return std::nullopt;  // it is put at the end, with who we are
    return meta_;
  }

  Put content(std::string_view value) {
    content_seen_ = true;
    const bool shaping = bridge_.client < Revision::r2025_11_25 && needs_shaping(bridge_.client, value);
    const bool adding = dropped_ && !holds(value, *dropped_);
    if (!shaping && !adding) return value;
    held_ = json::is_array(value) ? shaped_blocks(bridge_.client, value) : "[]";
    if (adding) edit::append_element(held_, as_text_block(*dropped_));
    return held_;
  }

  // A prompt's message holds one block.
  Put messages(std::string_view value) {
    if (bridge_.client >= Revision::r2025_11_25 || !json::is_array(value)) return value;
    held_ = edit::elements(value, [this](std::string_view message) {
      if (!json::is_object(message)) return std::string(message);
      std::optional<std::string> block;
      return edit::members(message, [&](std::string_view key, std::string_view part) -> Put {
        if (key == "content") block = edit::shaped_block(bridge_.client, part);
        return key == "content" && block ? Put(*block) : Put(part);
      });
    });
    return held_;
  }

  Bridge bridge_;
  Method method_;
  std::string_view result_;
  std::optional<std::string_view> dropped_;  // structuredContent that this client does not see
  std::optional<std::string> meta_;
  std::string held_;
  bool content_seen_ = false;
};

// Members of a listed item that came with a later revision than the client's.
bool is_later(Revision client, std::string_view key) {
  if (key == "title") return client < Revision::r2025_06_18;
  if (key == "icons") return client < Revision::r2025_11_25;
  return false;
}

std::string without_later(Revision client, std::string_view object) {
  return edit::members(object, [client](std::string_view key, std::string_view value) -> Put {
    return is_later(client, key) ? Put() : Put(value);
  });
}

bool runs_only_as_task(std::string_view definition) {
  const auto execution = json::member(definition, "execution");
  return execution && text_of(*execution, "taskSupport") == "required";
}

// Before 2026-07-28 an outputSchema describes an object; before 2025-06-18 there is none.
bool knows_output(Revision client, std::string_view schema) {
  if (client < Revision::r2025_06_18) return false;
  return is_modern(client) || text_of(schema, "type") == "object";
}

bool shows_in_tool(Revision client, std::string_view key, std::string_view value) {
  if (key == "annotations") return client >= Revision::r2025_03_26;
  if (key == "outputSchema") return knows_output(client, value);
  if (key == "execution") return client == Revision::r2025_11_25;
  return !is_later(client, key);
}

}  // namespace

Result<std::string> shape_result(Bridge bridge, Method method, std::string_view result) {
  if (!json::is_object(result)) return fail(Code::upstream_protocol, "the result is not an object");
  const auto type = json::member(result, "resultType");
  if (is_modern(bridge.server) && type && text_of(result, "resultType") != "complete") {
    return fail(Code::upstream_protocol, "an unknown resultType");  // MCP 2026-07-28: MUST be treated as invalid
  }
  return ResultShaper(bridge, method, result).shape();
}

bool excludes_tool(Bridge bridge, const mcp_header::Params* params, bool over_http) {
  if (params == nullptr || params->invalid.empty()) return false;
  return is_modern(bridge.client) || (over_http && is_modern(bridge.server));
}

std::optional<std::string> shape_tool(Bridge bridge, std::string_view definition) {
  if (!json::is_object(definition) || runs_only_as_task(definition)) return std::nullopt;
  return edit::members(definition, [&](std::string_view key, std::string_view value) -> Put {
    return shows_in_tool(bridge.client, key, value) ? Put(value) : Put();
  });
}

std::string shape_item(Bridge bridge, std::string_view item) {
  if (!json::is_object(item) || bridge.client >= Revision::r2025_11_25) return std::string(item);
  std::string arguments;
  return edit::members(item, [&](std::string_view key, std::string_view value) -> Put {
    if (is_later(bridge.client, key)) return std::nullopt;
    if (key != "arguments" || !json::is_array(value)) return value;
    arguments = edit::elements(value, [&](std::string_view argument) {
      return json::is_object(argument) ? without_later(bridge.client, argument) : std::string(argument);
    });
    return arguments;
  });
}

namespace {

// A notification outside of calls says what MCP gives it and nothing of the server's own: nobody asked for it, and no policy
// looks into it.
bool is_of_notice(std::string_view method, std::string_view key) {
  return key == "_meta" || (key == "uri" && method == "notifications/resources/updated");
}

}  // namespace

std::optional<std::string> shape_notification(Bridge bridge, std::string_view method, std::string_view params) {
  const bool both_url = bridge.client == Revision::r2025_11_25 && bridge.server == Revision::r2025_11_25;
  const bool passes = method == "notifications/progress" || method == "notifications/message" ||
                      method == "notifications/resources/updated" || method == "notifications/resources/list_changed" ||
                      method == "notifications/tools/list_changed" || method == "notifications/prompts/list_changed" ||
                      (method == "notifications/elicitation/complete" && both_url);
  if (!passes) return std::nullopt;
  if (!json::is_object(params)) return std::string();
  std::string out = edit::with_cleaned_meta(params);
  if (method.ends_with("/updated") || method.ends_with("/list_changed")) {
    return edit::members(out, [&](std::string_view key, std::string_view value) -> Put {
      return is_of_notice(method, key) ? Put(value) : Put();
    });
  }
  if (method != "notifications/progress" || bridge.client >= Revision::r2025_03_26) return out;
  return edit::members(
      out, [](std::string_view key, std::string_view value) -> Put { return key == "message" ? Put() : Put(value); });
}

}  // namespace sallyport::mcp
