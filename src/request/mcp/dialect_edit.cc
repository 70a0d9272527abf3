#include "request/mcp/dialect_edit.h"

#include "json/writer.h"

namespace sallyport::mcp::edit {

Key::Key(std::string_view raw) : raw_(raw) {
  if (raw.find('\\') == std::string_view::npos) return;
  if (auto decoded = json::decode_string('"' + std::string(raw) + '"')) decoded_ = std::move(*decoded);
}

void append_member(std::string& object, std::string_view key, std::string_view raw) {
  object.pop_back();
  if (object.size() > 1) object += ',';
  json::append_string(object, key);
  object.append(":").append(raw).append("}");
}

void append_element(std::string& array, std::string_view raw) {
  array.pop_back();
  if (array.size() > 1) array += ',';
  array.append(raw).append("]");
}

std::string quoted(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

std::optional<std::string> text_of(std::string_view object, std::string_view key) {
  const auto raw = json::member(object, key);
  if (!raw) return std::nullopt;
  auto text = json::decode_string(*raw);
  if (!text) return std::nullopt;
  return std::move(*text);
}

bool is_number(std::string_view raw) noexcept {
  return !raw.empty() && (raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9'));
}

std::optional<std::string> cleaned_meta(std::string_view raw) {
  if (!json::is_object(raw)) return std::nullopt;
  std::string out = members(raw, [](std::string_view key, std::string_view value) -> std::optional<std::string_view> {
    if (key == "progressToken" || key.starts_with("io.modelcontextprotocol/")) return std::nullopt;
    return value;
  });
  if (out == "{}" && raw != "{}") return std::nullopt;
  return out;
}

std::string with_cleaned_meta(std::string_view object) {
  std::optional<std::string> meta;
  return members(object, [&](std::string_view key, std::string_view value) -> std::optional<std::string_view> {
    if (key != "_meta") return value;
    meta = cleaned_meta(value);
    return meta;
  });
}

namespace {

std::string text_block(std::string_view text, std::string_view block) {
  std::string out = R"({"type":"text","text":)" + quoted(text) + "}";
  if (const auto annotations = json::member(block, "annotations")) append_member(out, "annotations", *annotations);
  return out;
}

std::string audio_note(std::string_view block) {
  const std::string type = text_of(block, "mimeType").value_or("audio");
  return text_block("[" + type + ": a recording that MCP 2024-11-05 cannot carry]", block);
}

std::string link_note(std::string_view block) {
  std::string text = "Resource: " + text_of(block, "title").value_or(text_of(block, "name").value_or("")) + ", ";
  text += text_of(block, "uri").value_or("");
  if (const auto type = text_of(block, "mimeType")) text += " (" + *type + ")";
  if (const auto about = text_of(block, "description")) text += "\n" + *about;
  return text_block(text, block);
}

std::string without_icons(std::string_view object) {
  return members(object, [](std::string_view key, std::string_view value) -> std::optional<std::string_view> {
    if (key == "icons") return std::nullopt;
    return value;
  });
}

}  // namespace

std::optional<std::string> shaped_block(Revision client, std::string_view block) {
  const auto type = text_of(block, "type");
  if (type == "audio" && client < Revision::r2025_03_26) return audio_note(block);
  if (type != "resource_link") return std::nullopt;
  if (client < Revision::r2025_06_18) return link_note(block);
  if (client < Revision::r2025_11_25 && json::member(block, "icons")) return without_icons(block);
  return std::nullopt;
}

std::string own_info(Revision client) {
  json::Writer w;
  w.object().member("name", "sallyport");
  if (client >= Revision::r2025_06_18) w.member("title", "Sallyport");
  return w.member("version", SALLYPORT_VERSION).end_object().take();
}

void close_modern(std::string& result, std::string_view result_type, std::string_view cleaned_meta) {
  append_member(result, "resultType", quoted(result_type));
  std::string meta(cleaned_meta.empty() ? "{}" : cleaned_meta);
  append_member(meta, "io.modelcontextprotocol/serverInfo", own_info(kModern));
  append_member(result, "_meta", meta);
}

}  // namespace sallyport::mcp::edit
