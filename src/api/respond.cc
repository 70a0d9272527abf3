// Answers and the reading of bodies and queries, for every handler.
#include <algorithm>
#include <charconv>

#include "api/route.h"
#include "engines/rbac/rbac.h"

namespace sallyport::api {

RestAnswer ok(json::Writer& writer, int status) {
  RestAnswer answer;
  answer.status = status;
  answer.body = writer.take();
  return answer;
}

RestAnswer no_content() {
  RestAnswer answer;
  answer.status = 204;
  answer.content_type.clear();
  return answer;
}

namespace {

// A fault of the caller's own input is explained to everybody; what is wrong with the gateway to whoever owns its home and asks
// there, its settings to holders of system:admin too. To all others the detail stays in log and audit.
bool explains(const Call& call, Code code) {
  switch (code) {
    case Code::validation:
    case Code::conflict:
    case Code::already_exists:
    case Code::not_found:
    case Code::unsupported_media:
    case Code::parse_error:
    case Code::invalid_request: return true;
    default: break;
  }
  if (!call.request.principal) return false;
  if (call.request.channel == Channel::local) return true;
  return code == Code::config && call.request.snapshot &&
         rbac::effective(call.principal(), *call.request.snapshot->roles).has(Permission::system_admin);
}

}  // namespace

RestAnswer refuse(const Call& call, const Error& error, std::string_view message, std::string_view details) {
  const ErrorInfo& row = info(error.code);
  std::string_view text = message;
  if (text.empty()) text = !error.detail.empty() && explains(call, error.code) ? error.detail : row.public_text;
  json::Writer w;
  w.object().key("error").object().member("code", row.name).member("message", text);
  w.key("details");
  if (details.empty()) w.object().end_object();
  else w.raw(details);
  w.end_object().member("timestamp", iso_time(call.request.now)).member("request_id", call.request.request_id);
  w.member("detail", text).end_object();
  RestAnswer answer = ok(w, row.http_status);
  answer.reason = std::string(row.name) + (error.detail.empty() ? "" : ": " + error.detail);
  return answer;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      unsigned value = 0;
      if (i + 2 >= text.size()) return std::nullopt;
      const auto [end, error] = std::from_chars(&text[i + 1], &text[i + 1] + 2, value, 16);
      if (error != std::errc() || end != &text[i + 1] + 2) return std::nullopt;
      c = static_cast<char>(value);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    out += c;
  }
  return out;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) != name) continue;
    std::string value(pair.substr(std::min(equals + 1, pair.size())));
    std::ranges::replace(value, '+', ' ');
    return percent_decode(value);
  }
  return std::nullopt;
}

Result<std::string> text_field(json::Value body, std::string_view name, std::string_view fallback) {
  const auto value = body.find(name);
  if (!value || value->is_null()) return std::string(fallback);
  const auto text = value->as_string();
  if (!text) return fail(Code::validation, std::string(name) + " must be a string");
  return std::string(*text);
}

Result<bool> flag_field(json::Value body, std::string_view name, bool fallback) {
  const auto value = body.find(name);
  if (!value || value->is_null()) return fallback;
  const auto flag = value->as_bool();
  if (!flag) return fail(Code::validation, std::string(name) + " must be true or false");
  return *flag;
}

Result<std::int64_t> number_field(json::Value body, std::string_view name, std::int64_t fallback) {
  const auto value = body.find(name);
  if (!value || value->is_null()) return fallback;
  const auto number = value->as_int64();
  if (!number) return fail(Code::validation, std::string(name) + " must be an integer");
  return *number;
}

Result<std::vector<std::string>> texts_field(json::Value body, std::string_view name) {
  std::vector<std::string> out;
  const auto value = body.find(name);
  if (!value || value->is_null()) return out;
  if (!value->is_array()) return fail(Code::validation, std::string(name) + " must be an array of strings");
  for (const json::Value item : value->elements()) {
    const auto text = item.as_string();
    if (!text) return fail(Code::validation, std::string(name) + " must be an array of strings");
    out.emplace_back(*text);
  }
  return out;
}

Result<std::map<std::string, std::string>> map_field(json::Value body, std::string_view name) {
  std::map<std::string, std::string> out;
  const auto value = body.find(name);
  if (!value || value->is_null()) return out;
  if (!value->is_object()) return fail(Code::validation, std::string(name) + " must be an object of strings");
  for (const auto& [key, item] : value->members()) {
    const auto text = item.as_string();
    if (!text) return fail(Code::validation, std::string(name) + " must be an object of strings");
    out.emplace(key, *text);
  }
  return out;
}

Result<void> only_fields(json::Value body, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : body.members()) {
    if (std::ranges::find(known, key) == known.end()) return fail(Code::validation, "unknown field: " + std::string(key));
  }
  return {};
}

}  // namespace sallyport::api
