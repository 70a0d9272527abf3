// TLSConfig("./certs").setup_certificates("gateway.example") for C++ programs that want what the gateway has: an authority and
// a server certificate in a folder, made once, renewed when it is time (S2-45). The same code and the same files as of
// <home>/certs (docs/certificates.md); the key that seals ca.key lies in <folder>/keys, or in the home of a gateway. Nothing is
// held open between two calls, so that programs can take turns; one call at a time on one folder, else Code::conflict.
// Blocking; one thread at a time.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "core/secret.h"

namespace sallyport::sdk {

struct TLSFiles {
  std::filesystem::path certificate, key, authority, revocations;  // server.crt, server.key, ca.crt, crl.pem
};

struct ClientCertificate {
  std::string certificate_pem, authority_pem, serial;
  Secret key_pem;
};

class TLSConfig {
 public:
  struct Options {
    std::filesystem::path home;  // of a gateway whose keys seal the folder; empty: the folder has its own
    std::chrono::days authority_life{3650}, leaf_life{365};
    const Clock* clock = nullptr;  // null: the system's
  };

  // Touches nothing yet.
  explicit TLSConfig(std::filesystem::path folder);
  TLSConfig(std::filesystem::path folder, Options options);
  // The folder of TLS_CERT_PATH where the environment has it, else ./security/certs (S2-32, C17).
  static TLSConfig from_environment();

  // Makes the authority where there is none, and a server certificate for these names and addresses where there is none, or one
  // for others; renews it where it is time. Errors: validation, config, conflict, io.
  Result<TLSFiles> setup_certificates(const std::string& hostname, const std::vector<std::string>& more = {});
  // What has come to its time is renewed; true: something was, and is to be loaded anew. To be called now and then.
  Result<bool> renew();
  // The key is here and nowhere else.
  Result<ClientCertificate> issue_client(const std::string& name, std::optional<std::chrono::days> life = std::nullopt);
  Result<void> revoke(std::string_view serial);  // with the reason keyCompromise

  [[nodiscard]] TLSFiles files() const;

 private:
  std::filesystem::path folder_;
  Options options_;
};

}  // namespace sallyport::sdk
