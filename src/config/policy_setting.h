// The settings of policies that are not evaluated here. Plain values, parts of Settings (config/settings.h).
#pragma once

#include <chrono>
#include <string>

namespace sallyport::config {

struct PolicySettings {
  std::string backend = "embedded";  // embedded, opa
  std::string bundle;                 // folder, tar.gz or URL; empty: the folder `policies`
  std::string bundle_key;             // reference; empty: it need not be signed
  std::string bundle_algorithm = "RS256";
  std::string bundle_token;  // reference
  std::chrono::seconds bundle_poll{60};
  bool bundle_allow_private = false;
  bool bundle_allow_older = false;
  friend bool operator==(const PolicySettings&, const PolicySettings&) = default;
};

struct OpaServerSettings {
  std::string url;
  std::string token;  // reference
  std::chrono::milliseconds timeout{500};
  std::chrono::seconds cache{0};
  bool allow_private = false;
  friend bool operator==(const OpaServerSettings&, const OpaServerSettings&) = default;
};

}  // namespace sallyport::config
