// The settings of the log, and of encryption at rest. Parts of Settings (config/settings.h).
#pragma once

#include <chrono>
#include <string>

namespace sallyport::config {

struct LogSettings {
  std::string level = "info";  // debug, info, warning, error
  bool json = false;
  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

// The transit engine of HashiCorp Vault or OpenBao, as what opens keys/keyring (S2-14).
struct TransitSettings {
  std::string url;  // empty: not set up
  std::string mount = "transit";
  std::string key;
  std::string token;  // reference
  std::string space, ca;
  bool allow_private = false;
  std::chrono::seconds wait{30};
  friend bool operator==(const TransitSettings&, const TransitSettings&) = default;
};

struct EncryptionSettings {
  bool enabled = true;   // C24
  std::string key;       // reference (C26)
  std::string password;  // reference (C26)
  std::string hsm_module, hsm_token, hsm_key;
  std::string hsm_pin;  // reference
  TransitSettings transit;
  int rotate_days = 30;
  int hash_rotate_days = 365;
  friend bool operator==(const EncryptionSettings&, const EncryptionSettings&) = default;
};

}  // namespace sallyport::config
