// What is asked of the built-in authority, and what it gives. Plain values.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/certificate_index.h"
#include "core/secret.h"

namespace sallyport::control {

struct CertificateRules {
  std::chrono::days authority_life{3650};
  std::chrono::days leaf_life{365};  // where a wish does not say
  std::chrono::days crl_life{30};  // a list is written anew at two thirds of it
  std::chrono::days kept{90};  // in the index, after a certificate has ended
  std::size_t total = 10'000;  // in the index
  crypto::CertificateKeyType key_type = crypto::CertificateKeyType::ec_p256;
};

struct CertificateWish {
  CertificateKind kind = CertificateKind::client;  // server or client
  std::string name;
  std::vector<crypto::AltName> alt_names;
  std::string user_id;  // a client that stands for this user: gets the URI user_uri() beside its other names
  std::optional<std::chrono::days> life;  // 1 to 825
  std::optional<crypto::CertificateKeyType> key_type;
};

// A certificate with its key, which is shown once; of the gateway's own server certificate the key stays in the folder.
struct NewCertificate {
  IssuedCertificate record;
  std::string certificate_pem, authority_pem;
  Secret key_pem;
};

// "urn:sallyport:user:ID", "urn:sallyport:client:NAME" (NAME as percent-escapes where it must): nobody else may ask for them.
inline constexpr std::string_view kUrnPrefix = "urn:sallyport:";
[[nodiscard]] std::string user_uri(std::string_view user_id);
[[nodiscard]] std::string client_uri(std::string_view name);

}  // namespace sallyport::control
