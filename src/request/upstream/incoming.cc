#include "request/upstream/incoming.h"

#include <charconv>

#include "json/document.h"
#include "json/slice.h"

namespace sallyport::upstream {
namespace {

// The key with its quotes: it stands between them in the text.
std::string_view quoted(std::string_view key) { return {key.data() - 1, key.size() + 2}; }

bool key_is(std::string_view key, std::string_view name) {
  if (key.find('\\') == std::string_view::npos) return key == name;
  const auto decoded = json::decode_string(quoted(key));
  return decoded && *decoded == name;
}

std::optional<std::uint64_t> number(std::string_view raw) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (error != std::errc{} || end != raw.data() + raw.size()) return std::nullopt;
  return value;
}

// JSON-RPC 2.0: an id of a request is a string or a number; MCP narrows it to an integer and forbids null.
bool usable_request_id(std::string_view raw) {
  if (json::is_string(raw)) return raw.size() <= 256;
  return !raw.empty() && raw.size() <= 20 && raw.find_first_not_of("-0123456789") == std::string_view::npos;
}

struct Members {
  std::string_view version, id, method, params, result, error;
};

Members members_of(std::string_view text) {
  Members m;
  json::for_each_member(text, [&](std::string_view key, std::string_view value) {
    if (key_is(key, "jsonrpc")) m.version = value;
    else if (key_is(key, "id")) m.id = value;
    else if (key_is(key, "method")) m.method = value;
    else if (key_is(key, "params")) m.params = value;
    else if (key_is(key, "result")) m.result = value;
    else if (key_is(key, "error")) m.error = value;
  });
  return m;
}

Result<Incoming> classify_answer(const Members& m) {
  if (m.result.empty() == m.error.empty()) return fail(Code::upstream_protocol, "neither result nor error, or both");
  Incoming in;
  in.kind = m.error.empty() ? Incoming::Kind::result : Incoming::Kind::error;
  in.body = m.error.empty() ? m.result : m.error;
  if (!json::is_object(in.body)) return fail(Code::upstream_protocol, "result or error is no object");
  in.raw_id = m.id;
  in.id = number(m.id);
  return in;
}

Result<Incoming> classify_method(const Members& m) {
  if (!m.result.empty() || !m.error.empty()) return fail(Code::upstream_protocol, "a method beside an answer");
  if (!m.params.empty() && !json::is_object(m.params)) return fail(Code::upstream_protocol, "params is no object");
  auto method = json::decode_string(m.method);
  if (!method) return fail(Code::upstream_protocol, "method is no string");
  Incoming in;
  in.method = std::move(*method);
  in.params = m.params;
  if (m.id.empty()) return in;
  if (!usable_request_id(m.id)) return fail(Code::upstream_protocol, "a request whose id is no string or integer");
  in.kind = Incoming::Kind::request;
  in.raw_id = m.id;
  return in;
}

}  // namespace

Result<Incoming> classify(std::string_view text) {
  if (!json::is_object(text)) return fail(Code::upstream_protocol, "a message that is no object");
  const Members m = members_of(text);
  if (m.version != "\"2.0\"") return fail(Code::upstream_protocol, "jsonrpc is not \"2.0\"");
  return m.method.empty() ? classify_answer(m) : classify_method(m);
}

Result<Incoming> read_incoming(std::string_view line, std::size_t bytes_max, std::string& minified) {
  if (line.size() > bytes_max) return fail(Code::upstream_too_large, "a message over the server's result_bytes_max");
  auto text = json::read_upstream(line, {.bytes_max = bytes_max});
  if (!text) return fail(Code::upstream_protocol, std::move(text).error().detail);
  minified = std::move(*text);
  return classify(minified);
}

std::optional<std::uint64_t> progress_token(std::string_view params) {
  const auto token = json::member(params, "progressToken");
  return token ? number(*token) : std::nullopt;
}

std::string_view cancelled_request(std::string_view params) {
  return json::member(params, "requestId").value_or(std::string_view{});
}

std::string without_member(std::string_view object, std::string_view key) {
  std::string out = "{";
  json::for_each_member(object, [&](std::string_view name, std::string_view value) {
    if (key_is(name, key)) return;
    if (out.size() > 1) out += ',';
    out.append(quoted(name)).append(1, ':').append(value);
  });
  out += '}';
  return out;
}

}  // namespace sallyport::upstream
