#include "engines/pin/definition.h"

#include "core/encoding.h"
#include "crypto/hash.h"
#include "json/canonical.h"
#include "json/slice.h"
#include "json/writer.h"

namespace sallyport::pin {
namespace {

constexpr std::size_t kDefinitionBytesMax = 256 * 1024;

bool is_tool_name(std::string_view name) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
  return !name.empty() && name.size() <= 128 && name.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::string text_member(std::string_view item, std::string_view key) {
  const auto raw = json::member(item, key);
  if (!raw || !json::is_string(*raw)) return {};
  return json::decode_string(*raw).value_or("");
}

Result<std::string> schema_member(std::string_view item, std::string_view key) {
  const auto raw = json::member(item, key);
  if (!raw) return std::string();
  if (raw->front() != '{') return fail(Code::upstream_protocol, std::string(key) + " is not an object");
  return std::string(*raw);
}

// Only what a model or a validator acts on: `_meta` and icons may change without a new approval.
Result<std::string> digest_of(std::string_view item) {
  std::string pinned = "{";
  for (const std::string_view key : {"annotations", "description", "inputSchema", "name", "outputSchema", "title"}) {
    const auto raw = json::member(item, key);
    if (!raw) continue;
    if (pinned.size() > 1) pinned += ',';
    json::append_string(pinned, key);
    pinned.append(":").append(*raw);
  }
  pinned += '}';
  SP_TRY(const auto document, json::read_upstream_document(pinned, {.bytes_max = kDefinitionBytesMax * 2}));
  return hex_encode(crypto::sha256(as_bytes(json::canonical(document.root()))));
}

}  // namespace

Result<Definition> read_definition(std::string_view item) {
  if (item.empty() || item.front() != '{') return fail(Code::upstream_protocol, "a tool that is not an object");
  if (item.size() > kDefinitionBytesMax) return fail(Code::upstream_protocol, "a tool definition over 256 KiB");
  Definition out;
  out.name = text_member(item, "name");
  if (!is_tool_name(out.name)) return fail(Code::upstream_protocol, "a tool whose name is not 1-128 of [A-Za-z0-9_.-]");
  out.title = text_member(item, "title");
  out.description = text_member(item, "description");
  out.raw = item;
  SP_TRY(out.input_schema, schema_member(item, "inputSchema"));
  if (out.input_schema.empty()) return fail(Code::upstream_protocol, "tool " + out.name + " has no inputSchema");
  SP_TRY(out.output_schema, schema_member(item, "outputSchema"));
  SP_TRY(out.digest, digest_of(item));
  return out;
}

}  // namespace sallyport::pin
