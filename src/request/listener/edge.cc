#include "request/listener/edge.h"

#include <algorithm>
#include <charconv>

#include "net/url.h"

namespace sallyport {
namespace {

// S1-4 and S4-18 in the stricter reading of each (C14). X-XSS-Protection is obsolete, but promised twice.
constexpr std::string_view kSecurityHeaders =
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "X-XSS-Protection: 1; mode=block\r\n"
    "Referrer-Policy: strict-origin-when-cross-origin\r\n"
    "Permissions-Policy: geolocation=(), microphone=(), camera=()\r\n"
    "Content-Security-Policy: default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
    "form-action 'self'\r\n";
constexpr std::string_view kHsts = "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n";

// C15: a fixed list, since `*` means nothing to a browser with credentials.
constexpr std::string_view kCorsHeaders[] = {"Authorization",        "Content-Type", "Mcp-Session-Id",
                                             "MCP-Protocol-Version", "X-API-Key",    "Last-Event-ID"};
constexpr std::string_view kExposed =
    "Mcp-Session-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After";
constexpr std::size_t kAskedHeadersMax = 32;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || text.size() > 5 || ec != std::errc() || end != text.data() + text.size() || port == 0)
    return std::nullopt;
  return port;
}

struct HostPort {
  std::string_view name;
  std::optional<std::uint16_t> port;
};

// RFC 9110 7.2: uri-host [":" port].
std::optional<HostPort> split_host(std::string_view host) {
  const auto colon = host.rfind(':');
  if (colon == std::string_view::npos || host.ends_with(']')) return HostPort{host, std::nullopt};
  const auto port = read_port(host.substr(colon + 1));
  if (!port) return std::nullopt;
  return HostPort{host.substr(0, colon), port};
}

bool ends_ignoring_case(std::string_view text, std::string_view suffix) {
  return text.size() > suffix.size() && net::equals_ignoring_case(text.substr(text.size() - suffix.size()), suffix);
}

bool asked_header_allowed(std::string_view name) {
  if (!net::valid_token(name)) return false;
  if (name.size() > 4 && net::equals_ignoring_case(name.substr(0, 4), "mcp-")) return true;
  return std::ranges::any_of(kCorsHeaders, [name](auto known) { return net::equals_ignoring_case(known, name); });
}

std::unexpected<Error> bad(std::string what, std::string fix) {
  return fail(Code::config, std::move(what) + "; fix: " + std::move(fix));
}

}  // namespace

Result<void> Edge::add_host(const std::string& host) {
  AllowedHost allowed;
  const bool suffix = host.starts_with("*.");
  const auto lowered = lower(suffix ? host.substr(1) : host);
  const auto parts = split_host(lowered);
  if (!parts) return bad("listen.hosts: `" + host + "` has a malformed port", "write NAME or NAME:PORT");
  allowed.name = parts->name;
  allowed.suffix = suffix;
  allowed.port = parts->port.value_or(0);
  const bool bracketed = allowed.name.starts_with('[') && allowed.name.ends_with(']');
  const bool named = std::ranges::all_of(allowed.name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
  const bool shaped = suffix ? named && allowed.name.size() > 1 : named || bracketed;
  if (allowed.name.empty() || !shaped || allowed.name.ends_with('.')) {
    return bad("listen.hosts: `" + host + "` is no host", "write an exact name or *.suffix; `*` alone is not possible");
  }
  hosts_.push_back(std::move(allowed));
  return {};
}

Result<Edge> Edge::make(const EdgeSettings& settings) {
  Edge edge;
  edge.settings_ = settings;
  for (const auto& host : settings.hosts) SP_CHECK(edge.add_host(host));
  for (auto& origin : edge.settings_.origins) {
    if (origin.find('*') != std::string::npos) {
      return bad("listen.origins: `" + origin + "` with credentials",
                 "name each origin, as in https://console.example.com");
    }
    const auto url = net::parse_url(origin);
    if (!url || url->target != "/" || origin.ends_with('/')) {
      return bad("listen.origins: `" + origin + "` is no origin", "write scheme://host[:port] without a path");
    }
    origin = (url->tls ? "https://" : "http://") + url->authority();  // as a browser writes it
  }
  for (const auto& proxy : settings.trusted_proxies) {
    const auto cidr = Cidr::parse(proxy);
    if (!cidr)
      return bad("listen.trusted_proxies: `" + proxy + "` is no address range", "write 10.0.0.0/8 or an address");
    edge.proxies_.push_back(*cidr);
  }
  edge.headers_plain_ = kSecurityHeaders;
  edge.headers_secure_ = std::string(kSecurityHeaders) + std::string(kHsts);
  return edge;
}

bool Edge::host_allowed(std::string_view host_header) const noexcept {
  const auto host = split_host(host_header);
  if (!host || host->name.empty() || host->name.starts_with('.')) return false;  // an empty label is no name
  return std::ranges::any_of(hosts_, [&](const AllowedHost& allowed) {
    const bool port_fits = !host->port || *host->port == (allowed.port != 0 ? allowed.port : settings_.port);
    if (!port_fits || (allowed.port != 0 && !host->port)) return false;
    return allowed.suffix ? ends_ignoring_case(host->name, allowed.name)
                          : net::equals_ignoring_case(host->name, allowed.name);
  });
}

bool Edge::origin_allowed(std::string_view origin) const noexcept {
  return std::ranges::find(settings_.origins, origin) != settings_.origins.end();
}

// Our own pages: the Origin is the Host, which has passed its own list.
bool Edge::same_origin(std::string_view origin, std::string_view host, bool secure) const noexcept {
  const std::string_view scheme = secure ? "https://" : "http://";
  return origin.starts_with(scheme) && net::equals_ignoring_case(origin.substr(scheme.size()), host);
}

bool Edge::trusted(const net::Peer& peer) const noexcept {
  return !peer.is_local_socket &&
         std::ranges::any_of(proxies_, [&](const auto& cidr) { return cidr.contains(peer.address); });
}

// S1-31: only a trusted proxy is believed. The client is the last hop that no trusted proxy vouches for; whatever
// stands to the left of it the client wrote itself.
void Edge::follow_proxy(const net::RequestHead& head, const net::Peer& peer, EdgeVerdict& verdict) const {
  if (!trusted(peer)) return;
  bool stopped = false, seen = false;
  for (auto header = head.headers.rbegin(); header != head.headers.rend() && !stopped; ++header) {
    if (!net::equals_ignoring_case(header->name, "x-forwarded-for")) continue;
    seen = true;
    for (std::string_view rest = header->value; !stopped && !rest.empty();) {
      const auto comma = rest.rfind(',');
      const auto hop = IpAddress::parse(trim(comma == std::string_view::npos ? rest : rest.substr(comma + 1)));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
      stopped = !hop;
      if (!hop) break;
      verdict.client = *hop;
      stopped = std::ranges::none_of(proxies_, [&](const auto& cidr) { return cidr.contains(*hop); });
    }
  }
  if (!seen) {
    if (const auto real = head.find("x-real-ip"); real && head.count("x-real-ip") == 1) {
      verdict.client = IpAddress::parse(*real).value_or(verdict.client);
    }
  }
  verdict.client_ip = verdict.client.text();
  if (const auto proto = head.find("x-forwarded-proto"); proto && head.count("x-forwarded-proto") == 1) {
    verdict.secure = net::equals_ignoring_case(*proto, "https");
  }
}

void Edge::check_origin(const net::RequestHead& head, EdgeVerdict& verdict) const {
  const auto origin = head.find("origin");
  if (!origin) return;
  const bool listed = head.count("origin") == 1 && origin_allowed(*origin);
  if (!listed && (head.count("origin") != 1 || !same_origin(*origin, head.find("host").value_or(""), verdict.secure))) {
    verdict.code = Code::bad_origin;
    verdict.decision = Decision::denied(Stage::listener, "edge.origin", "origin_not_allowed", std::string(*origin));
    return;
  }
  if (!listed) return;
  verdict.cors_origin = *origin;
  verdict.preflight = head.method == "OPTIONS" && head.find("access-control-request-method").has_value();
}

EdgeVerdict Edge::inspect(const net::RequestHead& head, const net::Peer& peer) const {
  EdgeVerdict verdict;
  verdict.secure = peer.secure;
  verdict.client = peer.address;
  verdict.client_ip = peer.ip;
  verdict.decision = Decision::allowed(Stage::listener, "edge.allowed");
  if (!peer.is_local_socket) {  // a browser cannot reach the admin socket; its file mode guards it
    if (!proxies_.empty()) follow_proxy(head, peer, verdict);
    const auto host = head.find("host").value_or("");
    if (!host_allowed(host)) {
      verdict.code = Code::bad_host;
      verdict.decision = Decision::denied(Stage::listener, "edge.host", "host_not_allowed", std::string(host));
    } else {
      check_origin(head, verdict);
    }
  }
  verdict.common_headers = common_headers(verdict.secure);
  return verdict;
}

net::Headers Edge::cors_headers(std::string_view origin) {
  if (origin.empty()) return {};
  return {{"Access-Control-Allow-Origin", std::string(origin)},
          {"Access-Control-Allow-Credentials", "true"},
          {"Access-Control-Expose-Headers", std::string(kExposed)},
          {"Vary", "Origin"}};
}

net::Response Edge::preflight_response(const net::RequestHead& head) {
  std::string allowed;
  for (const auto name : kCorsHeaders) allowed.append(allowed.empty() ? "" : ", ").append(name);
  // Mcp-*: a browser wants each name, so those it asks for are named back.
  std::string_view asked = head.find("access-control-request-headers").value_or("");
  for (std::size_t n = 0; n < kAskedHeadersMax && !asked.empty(); ++n) {
    const auto comma = asked.find(',');
    const auto name = trim(asked.substr(0, comma));
    asked = comma == std::string_view::npos ? std::string_view() : asked.substr(comma + 1);
    if (asked_header_allowed(name)) allowed.append(", ").append(name);
  }
  net::Response response{.status = 204};
  response.headers = cors_headers(head.find("origin").value_or(""));
  response.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE");
  response.headers.emplace_back("Access-Control-Allow-Headers", std::move(allowed));
  response.headers.emplace_back("Access-Control-Max-Age", "3600");
  return response;
}

net::Response Edge::refusal(const EdgeVerdict& verdict) {
  const auto& row = info(verdict.code);
  net::Response response{.status = row.http_status, .content_type = "application/json"};
  response.body =
      R"({"error":{"code":")" + std::string(row.name) + R"(","message":")" + std::string(row.public_text) + R"("}})";
  return response;
}

std::size_t strip_internal_headers(net::RequestHead& head) {
  static constexpr std::string_view kInternal = "x-sallyport-";
  return std::erase_if(head.headers, [](const net::HeaderView& header) {
    return header.name.size() >= kInternal.size() &&
           net::equals_ignoring_case(header.name.substr(0, kInternal.size()), kInternal);
  });
}

}  // namespace sallyport
