// What is decided about a request before anybody is asked who sends it: Host and Origin allow-lists (DNS rebinding,
// threats.md section 2), CORS (C15), which proxy is believed (S1-31), the security headers of every answer (S1-4,
// S4-18, C14). Pure functions over an immutable Edge made at the start; owned by app; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/decision.h"
#include "core/result.h"
#include "net/http_message.h"

namespace sallyport {

struct EdgeSettings {
  std::uint16_t port = 8000;  // the one listened on
  std::vector<std::string> hosts{"localhost", "127.0.0.1", "[::1]"};  // exact names and *.suffix (S0-32)
  std::vector<std::string> origins;  // "https://console.example.com"; empty: no CORS
  std::vector<std::string> trusted_proxies;  // CIDRs whose X-Forwarded-* is believed
};

// What the edge found out. `decision` denied: answer with Edge::refusal().
struct EdgeVerdict {
  Decision decision;
  Code code = Code::internal;  // of a refusal: bad_host, bad_origin
  bool preflight = false;  // a CORS preflight: answer with Edge::preflight_response(), no identity needed
  bool secure = false;  // TLS, or a trusted proxy says so
  IpAddress client;  // who asks: the peer, or what a trusted proxy says
  std::string client_ip;  // its text; "local" on the admin socket
  std::string_view common_headers;  // for ServerExchange::set_common_headers; owned by the Edge
  std::string_view cors_origin;  // the allowed Origin to be echoed; empty: no CORS headers; a view into the head
};

class Edge {
 public:
  // Errors: config, naming the setting and the fix (`*` with credentials, a malformed host, origin or CIDR).
  static Result<Edge> make(const EdgeSettings& settings);

  [[nodiscard]] EdgeVerdict inspect(const net::RequestHead& head, const net::Peer& peer) const;
  [[nodiscard]] bool host_allowed(std::string_view host_header) const noexcept;
  [[nodiscard]] bool origin_allowed(std::string_view origin) const noexcept;

  // The block of S1-4 and S4-18, with HSTS only when the client came by TLS (C14).
  [[nodiscard]] const std::string& common_headers(bool secure) const noexcept {
    return secure ? headers_secure_ : headers_plain_;
  }
  // The CORS headers of an answer to an allowed origin; nothing for an empty one. Each is {name, value}.
  [[nodiscard]] static net::Headers cors_headers(std::string_view origin);
  [[nodiscard]] static net::Response preflight_response(const net::RequestHead& head);
  [[nodiscard]] static net::Response refusal(const EdgeVerdict& verdict);

 private:
  struct AllowedHost {
    std::string name;  // lower case; of *.suffix: ".suffix"
    bool suffix = false;
    std::uint16_t port = 0;  // 0: the listening port, or none
  };
  [[nodiscard]] bool trusted(const net::Peer& peer) const noexcept;
  Result<void> add_host(const std::string& host);
  [[nodiscard]] bool same_origin(std::string_view origin, std::string_view host, bool secure) const noexcept;
  void check_origin(const net::RequestHead& head, EdgeVerdict& verdict) const;
  void follow_proxy(const net::RequestHead& head, const net::Peer& peer, EdgeVerdict& verdict) const;

  EdgeSettings settings_;
  std::vector<AllowedHost> hosts_;
  std::vector<Cidr> proxies_;
  std::string headers_plain_, headers_secure_;
};

// Fields that a client must not set, because only our own parts do: x-sallyport-*. Removed, not refused.
// Returns how many there were.
std::size_t strip_internal_headers(net::RequestHead& head);

}  // namespace sallyport
