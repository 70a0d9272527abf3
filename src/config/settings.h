// Every setting as a plain value, typed and already validated: modules take the part they need. Made by config::load
// from one table (config/table.cc), never by hand outside tests; the defaults here and in the table are compared by a
// test. Owned by app, read-only after the start; any thread may read it. Secrets stand here as references only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/approval_settings.h"
#include "config/backup_settings.h"
#include "config/certificate_settings.h"
#include "config/listen_settings.h"
#include "config/log_settings.h"
#include "config/policy_setting.h"
#include "config/secret_settings.h"
#include "config/server_setting.h"
#include "config/tls_settings.h"

namespace sallyport::config {

struct AuthSettings {
  minutes access_token{30};  // C2
  std::string issuer = "sallyport";
  std::string audience = "sallyport";
  std::string secret_key;  // reference; empty: the KeyStore's own key (C3)
  std::string algorithm = "HS256";
  minutes session_idle{60};     // S2-3
  hours session_lifetime{12};
  std::uint32_t sessions_per_user = 5;
  std::uint32_t sessions_per_key = 100;
  std::string session_binding = "none";  // none, address, user_agent, both
  std::string client_certificates = "off";  // off, beside, required, only
  std::uint32_t key_rotation_days = 90;
  hours api_key_grace{24};
  friend bool operator==(const AuthSettings&, const AuthSettings&) = default;
};

enum class PasswordProfile : std::uint8_t { guide, nist };  // C21

struct SecondFactorSettings {
  std::vector<std::string> required_roles;
  minutes step_up{10};
  friend bool operator==(const SecondFactorSettings&, const SecondFactorSettings&) = default;
};

enum class AuditDurability : std::uint8_t { os, disk };

struct AuditSettings {
  bool enabled = true;  // never false after load (C24)
  std::string path;     // absolute folder of the segments (C10)
  AuditDurability durability = AuditDurability::os;
  std::uint32_t retention_days = 90;
  std::string log_level = "info";
  bool encryption = false;  // S0-18
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

// One line of `config explain`. `source`: "default", "sallyport.yaml:12" or "env RATE_LIMIT_BURST".
struct Explained {
  std::string path, value, source;
};

struct Settings {
  std::string home, config_file;  // absolute; no file: empty
  std::string policies;           // absolute folder of *.rego
  bool policy_record = true;
  PolicySettings policy;
  OpaServerSettings opa;
  ListenSettings listen;
  TlsSettings tls;
  LimitSettings limits;
  SessionSettings sessions;
  std::map<std::string, RateClass, std::less<>> rate;  // "default", "address", "mcp", "tool", "public", "read", ...
  AuthSettings auth;
  PasswordProfile password_profile = PasswordProfile::guide;
  SecondFactorSettings second_factor;
  AuditSettings audit;
  seconds label_lifetime{86'400};
  StorageSettings storage;
  UpstreamSettings upstream;
  ApprovalSettings approval;
  SecretSettings secrets;
  BackupSettings backup;
  CertificateSettings certificates;
  AcmeSettings acme;
  SandboxSettings sandbox;
  LogSettings log;
  EncryptionSettings encryption;
  std::vector<ServerSetting> servers;
  std::vector<std::string> warnings;  // to be logged at the start and shown by doctor
  std::vector<Explained> explained;
};

}  // namespace sallyport::config
