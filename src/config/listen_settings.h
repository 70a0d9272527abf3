// The settings of the front half: listener, limits of connections and requests, sessions, rate classes. Plain values,
// parts of Settings (config/settings.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::config {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct ListenSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8000;
  std::uint32_t workers = 0;                                          // 0: one a core
  std::vector<std::string> hosts{"localhost", "127.0.0.1", "[::1]"};  // exact names and *.suffix (C15)
  std::vector<std::string> origins;                                   // empty: no CORS; never "*" (C15)
  std::vector<std::string> trusted_proxies;  // CIDRs whose X-Forwarded-* is believed (S1-31)
  bool behind_tls_proxy = false;  // C16
  std::uint16_t redirect_port = 0;  // 0: none
  bool proxy_protocol = false;
  bool admin_socket = true;
  friend bool operator==(const ListenSettings&, const ListenSettings&) = default;
};

struct LimitSettings {
  std::uint64_t head_bytes = 16U << 10;
  std::uint64_t body_bytes = 10U << 20;
  std::uint32_t header_count = 100;
  std::uint32_t json_depth = 64;
  std::uint32_t connections = 4096;
  std::uint32_t connections_per_address = 256;
  seconds head_timeout{10};
  seconds body_timeout{30};
  seconds idle_timeout{75};
  seconds write_timeout{30};
  seconds drain{20};
  friend bool operator==(const LimitSettings&, const LimitSettings&) = default;
};

struct SessionSettings {
  minutes idle{60};
  std::uint32_t max_per_principal = 64;
  friend bool operator==(const SessionSettings&, const SessionSettings&) = default;
};

struct RateClass {
  std::uint32_t requests = 100;
  seconds window{60};
  std::uint32_t burst = 10;
  friend bool operator==(const RateClass&, const RateClass&) = default;
};

}  // namespace sallyport::config
