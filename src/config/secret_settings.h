// The settings of the vault's secrets and of the key exchange (docs/vault.md). A part of Settings (config/settings.h).
#pragma once

#include <cstdint>
#include <string>

namespace sallyport::config {

// ${kv:MOUNT/PATH#FIELD}: KV version 2 of HashiCorp Vault or OpenBao.
struct KvSettings {
  std::string url;    // empty: not set up
  std::string token;  // reference
  std::string space;
  std::string ca;
  bool allow_private = false;
  friend bool operator==(const KvSettings&, const KvSettings&) = default;
};

// ${aws:NAME#FIELD}: AWS Secrets Manager.
struct AwsSettings {
  std::string region;  // empty: not set up
  std::string endpoint;
  std::string access_key_id, secret_access_key, session_token;  // the last two: references
  std::string ca;
  bool allow_private = false;
  friend bool operator==(const AwsSettings&, const AwsSettings&) = default;
};

struct SecretSettings {
  std::uint32_t secrets = 10'000;
  std::uint32_t per_owner = 64;
  std::uint32_t versions = 10;
  std::uint32_t exchange_key_bits = 3072;
  std::uint32_t exchange_key_days = 365;
  std::uint32_t exchange_grace_days = 7;
  std::string folder = "/run/secrets";  // of ${dir:NAME}
  std::uint32_t kept_seconds = 300;     // values of kv and aws
  KvSettings kv;
  AwsSettings aws;
  friend bool operator==(const SecretSettings&, const SecretSettings&) = default;
};

}  // namespace sallyport::config
