// The settings of the vault's secrets and of the key exchange (docs/vault.md). A part of Settings (config/settings.h).
#pragma once

#include <cstdint>
#include <string>

namespace sallyport::config {

struct SecretSettings {
  std::uint32_t secrets = 10'000;
  std::uint32_t per_owner = 64;
  std::uint32_t versions = 10;
  std::uint32_t exchange_key_bits = 3072;
  std::uint32_t exchange_key_days = 365;
  std::uint32_t exchange_grace_days = 7;
  std::string folder = "/run/secrets";  // of ${dir:NAME}
  friend bool operator==(const SecretSettings&, const SecretSettings&) = default;
};

}  // namespace sallyport::config
