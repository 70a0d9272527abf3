#include "control/secrets/remote_reference.h"

#include <algorithm>
#include <charconv>

#include "json/document.h"

namespace sallyport::control {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

bool is_field(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, is_plain);
}

// No empty part, none of dots alone: the path becomes a part of a URL.
bool is_path(std::string_view text) {
  if (text.empty() || text.size() > 400) return false;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('/', at), text.size());
    const std::string_view part = text.substr(at, end - at);
    if (part.empty() || part.find_first_not_of('.') == std::string_view::npos) return false;
    if (!std::ranges::all_of(part, is_plain)) return false;
    at = end + 1;
  }
  return true;
}

// What Secrets Manager allows in a name, and the colon of an ARN.
bool is_aws_name(std::string_view text) {
  constexpr std::string_view kMore = "/+=@:";
  return !text.empty() && text.size() <= 512 &&
         std::ranges::all_of(text, [&](char c) { return is_plain(c) || kMore.find(c) != std::string_view::npos; });
}

constexpr std::string_view kKvForm = "write ${kv:MOUNT/PATH#FIELD}, or ${kv:MOUNT/PATH#FIELD@VERSION}";
constexpr std::string_view kAwsForm = "write ${aws:NAME} or ${aws:NAME#FIELD}";

}  // namespace

Result<RemoteReference> parse_kv_reference(std::string_view text) {
  const auto hash = std::min(text.find('#'), text.size());
  const std::string_view place = text.substr(0, hash);
  std::string_view field = text.substr(std::min(hash + 1, text.size()));
  RemoteReference out;
  if (const auto at = field.rfind('@'); at != std::string_view::npos) {
    std::uint32_t version = 0;
    const auto [end, error] = std::from_chars(field.data() + at + 1, field.data() + field.size(), version);
    const bool whole = error == std::errc() && end == field.data() + field.size();
    if (!whole || version == 0) return fail(Code::config, std::string(kKvForm));
    out.version = version;
    field = field.substr(0, at);
  }
  const auto slash = std::min(place.find('/'), place.size());
  out.mount = place.substr(0, slash);
  out.path = place.substr(std::min(slash + 1, place.size()));
  out.field = field;
  if (!is_path(out.mount) || !is_path(out.path) || !is_field(field)) return fail(Code::config, std::string(kKvForm));
  return out;
}

Result<RemoteReference> parse_aws_reference(std::string_view text) {
  const auto hash = text.find('#');
  RemoteReference out;
  out.path = text.substr(0, hash);
  if (hash != std::string_view::npos) out.field = text.substr(hash + 1);
  const bool good = is_aws_name(out.path) && (hash == std::string_view::npos || is_field(out.field));
  if (!good) return fail(Code::config, std::string(kAwsForm));
  return out;
}

Result<std::string> field_of(std::string_view json, std::string_view field) {
  if (field.empty()) return std::string(json);
  const auto document = json::read_upstream_document(json);
  if (!document || !document->root().is_object()) return fail(Code::upstream_protocol, "the secret is no JSON object");
  const auto value = document->root().find(field);
  if (!value) return fail(Code::not_found, "the secret has no field '" + std::string(field) + "'");
  if (const auto text = value->as_string()) return std::string(*text);
  if (value->is_number() || value->is_bool()) return std::string(value->raw());
  return fail(Code::upstream_protocol, "the field '" + std::string(field) + "' is neither a text nor a number");
}

}  // namespace sallyport::control
