// Where the messages of an HTTP+SSE session go: the one URI that a server names and we follow.
#include <algorithm>

#include "request/upstream/sse_connection.h"

namespace sallyport::upstream {
namespace {

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

// RFC 3986, 3.1: letters, digits, + - . before a colon, in front of any slash or question mark.
bool has_scheme(std::string_view uri) {
  const auto colon = uri.find(':');
  return colon != std::string_view::npos && colon < uri.find_first_of("/?");
}

// RFC 3986, 5.2: the reference as an absolute URL.
std::string absolute(const net::Url& stream, std::string_view reference) {
  const std::string_view base = path_of(stream.target);
  if (has_scheme(reference)) return std::string(reference);
  if (reference.starts_with("//")) return (stream.tls ? "https:" : "http:") + std::string(reference);
  if (reference.starts_with('/')) return stream.origin() + std::string(reference);
  if (reference.starts_with('?')) return stream.origin() + std::string(base) + std::string(reference);
  return stream.origin() + std::string(base.substr(0, base.rfind('/') + 1)) + std::string(reference);
}

bool has_dot_segment(std::string_view path) {
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto segment = path.substr(at, end - at);
    if (segment == "." || segment == "..") return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

Result<std::string> endpoint_path(const net::Url& stream, std::string_view endpoint) {
  if (endpoint.empty()) return fail(Code::upstream_protocol, "the endpoint event names nothing");
  auto url = net::parse_url(absolute(stream, endpoint));
  if (!url) return fail(Code::upstream_protocol, "the endpoint event names no URI that we take");
  if (url->origin() != stream.origin())
    return fail(Code::upstream_protocol, "the endpoint event names another origin than its stream's");
  if (has_dot_segment(path_of(url->target)))
    return fail(Code::upstream_protocol, "the endpoint event names a path with dot segments");
  return std::move(url->target);
}

}  // namespace sallyport::upstream
