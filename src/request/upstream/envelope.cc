#include "request/upstream/envelope.h"

#include <cstring>

#include "json/slice.h"
#include "json/writer.h"
#include "request/upstream/incoming.h"

namespace sallyport::upstream {
namespace {

bool is_hop_key(std::string_view decoded) {
  return decoded == "progressToken" || decoded.starts_with("io.modelcontextprotocol/");
}

}  // namespace

std::string envelope(std::string_view id, std::string_view method, std::string_view params) {
  std::string out;
  out.reserve(64 + method.size() + params.size());
  out += "{\"jsonrpc\":\"2.0\"";
  if (!id.empty()) out.append(",\"id\":").append(id);
  out += ",\"method\":";
  json::append_string(out, method);
  if (!params.empty()) out.append(",\"params\":").append(params);
  return out += '}';
}

Result<std::string> one_line(std::string text) {
  if (std::memchr(text.data(), '\n', text.size()) != nullptr || std::memchr(text.data(), '\r', text.size()) != nullptr)
    return fail(Code::invalid_params, "a message for a tool server holds a line break");
  return text;
}

std::string surviving_meta(std::string_view meta) {
  std::string out;
  json::for_each_member(meta, [&](std::string_view key, std::string_view value) {
    const std::string_view raw_key(key.data() - 1, key.size() + 2);
    const auto decoded = json::decode_string(raw_key);
    if (!decoded || is_hop_key(*decoded)) return;
    if (!out.empty()) out += ',';
    out.append(raw_key).append(1, ':').append(value);
  });
  return out;
}

std::string with_meta(std::string_view params, std::string_view meta_members) {
  std::string out = json::member(params, "_meta") ? without_member(params, "_meta") : std::string(params);
  if (out.empty()) out = "{}";
  if (meta_members.empty()) return out;
  out.pop_back();
  if (out.size() > 1) out += ',';
  return out.append("\"_meta\":{").append(meta_members).append("}}");
}

}  // namespace sallyport::upstream
