// Every setting as a plain value, typed and already validated: modules take the part they need. Made by config::load
// from one table (config/table.cc), never by hand outside tests; the defaults here and in the table are compared by a test.
// Owned by app, read-only after the start; any thread may read it. Secrets stand here as references only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/server_setting.h"

namespace sallyport::config {

using std::chrono::minutes;
using std::chrono::seconds;

struct ListenSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8000;
  std::uint32_t workers = 0;  // 0: one a core
  std::vector<std::string> hosts{"localhost", "127.0.0.1", "[::1]"};  // exact names and *.suffix (C15)
  std::vector<std::string> origins;          // empty: no CORS; never "*" (C15)
  std::vector<std::string> trusted_proxies;  // CIDRs whose X-Forwarded-* is believed (S1-31)
  bool behind_tls_proxy = false;             // C16
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

struct AuthSettings {
  minutes access_token{30};        // C2
  std::string issuer = "sallyport";
  std::string audience = "sallyport";
  std::string secret_key;          // reference; empty: the KeyStore's own key (C3)
  std::string algorithm = "HS256";
  friend bool operator==(const AuthSettings&, const AuthSettings&) = default;
};

enum class AuditDurability : std::uint8_t { os, disk };

struct AuditSettings {
  bool enabled = true;  // never false after load (C24)
  std::string path;     // absolute folder of the segments (C10)
  AuditDurability durability = AuditDurability::os;
  std::uint32_t retention_days = 90;
  std::string log_level = "info";
  bool encryption = false;  // refused when true until the vault exists (S0-18)
  friend bool operator==(const AuditSettings&, const AuditSettings&) = default;
};

struct StorageSettings {
  std::string url = "sqlite:///sallyport.db";
  std::string sqlite_path;  // absolute, from the url
  friend bool operator==(const StorageSettings&, const StorageSettings&) = default;
};

struct UpstreamSettings {
  seconds call_timeout{30};  // 1..300 (S0-22)
  seconds start_timeout{10};
  minutes idle{15};
  std::uint32_t sessions_per_principal = 16;
  std::uint32_t sessions_per_server = 64;
  std::uint32_t sessions_total = 256;
  std::uint64_t result_bytes = 16U << 20;
  bool allow_private = false;
  friend bool operator==(const UpstreamSettings&, const UpstreamSettings&) = default;
};

enum class SandboxMode : std::uint8_t { prefer, require };

struct SandboxSettings {
  SandboxMode mode = SandboxMode::prefer;
  std::string run_as = "sallyport";  // the user that `serve` drops to when root starts it
  friend bool operator==(const SandboxSettings&, const SandboxSettings&) = default;
};

struct LogSettings {
  std::string level = "info";  // debug, info, warning, error
  bool json = false;
  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

struct EncryptionSettings {
  bool enabled = false;   // C24
  std::string key;        // reference (C26)
  std::string password;   // reference (C26)
  friend bool operator==(const EncryptionSettings&, const EncryptionSettings&) = default;
};

// One line of `config explain`. `source`: "default", "sallyport.yaml:12" or "env RATE_LIMIT_BURST".
struct Explained {
  std::string path, value, source;
};

struct Settings {
  std::string home;         // absolute
  std::string config_file;  // absolute; empty: there was none
  std::string policies;     // absolute folder of *.rego
  ListenSettings listen;
  LimitSettings limits;
  SessionSettings sessions;
  std::map<std::string, RateClass, std::less<>> rate;  // "default", "address", "mcp", "tool", "public", "read", ...
  AuthSettings auth;
  AuditSettings audit;
  StorageSettings storage;
  UpstreamSettings upstream;
  SandboxSettings sandbox;
  LogSettings log;
  EncryptionSettings encryption;
  std::vector<ServerSetting> servers;
  std::vector<std::string> warnings;  // to be logged at the start and shown by doctor
  std::vector<Explained> explained;
};

}  // namespace sallyport::config
