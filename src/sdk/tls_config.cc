#include "sdk/tls_config.h"

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "control/certificates.h"
#include "crypto/key_store.h"

namespace sallyport::sdk {
namespace {

constexpr const char* kBy = "program";

// The authority of a folder for the time of one call.
template <class T>
Result<T> with_authority(const std::filesystem::path& folder, const TLSConfig::Options& options,
                         const std::function<Result<T>(control::Certificates&)>& work) {
  SystemRandom random;
  const SystemClock system;
  std::error_code error;
  if (std::filesystem::create_directories(folder, error)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  }
  SP_TRY(const auto keys, options.home.empty() ? crypto::KeyStore::open_or_create(folder, random)
                                               : crypto::KeyStore::open(options.home));
  control::CertificateRules rules;
  rules.authority_life = options.authority_life;
  rules.leaf_life = options.leaf_life;
  const auto unnoted = [](std::string_view, const control::IssuedCertificate&, std::string_view) {
    return Result<void>();
  };
  control::Certificates authority({folder, keys.key(crypto::Purpose::certificates), random,
                                   options.clock != nullptr ? *options.clock : system, unnoted},
                                  rules);
  SP_CHECK(authority.open());
  return work(authority);
}

Result<std::vector<crypto::AltName>> names_of(const std::vector<std::string>& hosts) {
  std::vector<crypto::AltName> names;
  for (const std::string& host : hosts) {
    SP_TRY(auto name, crypto::host_name(host));
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

TLSConfig::TLSConfig(std::filesystem::path folder) : TLSConfig(std::move(folder), Options{}) {}

TLSConfig::TLSConfig(std::filesystem::path folder, Options options)
    : folder_(std::filesystem::absolute(folder).lexically_normal()), options_(std::move(options)) {
  if (!folder_.has_filename()) folder_ = folder_.parent_path();  // "./certs/"
}

TLSConfig TLSConfig::from_environment() {
  const char* const path = std::getenv("TLS_CERT_PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it meanwhile
  if (path == nullptr || *path == '\0') return TLSConfig("./security/certs");
  return TLSConfig(std::filesystem::absolute(path).parent_path());
}

TLSFiles TLSConfig::files() const {
  return {folder_ / "server.crt", folder_ / "server.key", folder_ / "ca.crt", folder_ / "crl.pem"};
}

Result<TLSFiles> TLSConfig::setup_certificates(const std::string& hostname, const std::vector<std::string>& more) {
  std::vector<std::string> hosts{hostname};
  hosts.insert(hosts.end(), more.begin(), more.end());
  SP_TRY(const auto names, names_of(hosts));
  return with_authority<TLSFiles>(folder_, options_, [&](control::Certificates& authority) -> Result<TLSFiles> {
    SP_CHECK(authority.tick());
    const auto* const server = authority.in_use(control::CertificateKind::server);
    if (server == nullptr || server->alt_names != names) SP_CHECK(authority.init(hosts, std::nullopt, kBy));
    return files();
  });
}

Result<bool> TLSConfig::renew() {
  return with_authority<bool>(folder_, options_, [](control::Certificates& authority) -> Result<bool> {
    const std::uint64_t list = authority.index().crl_number;
    SP_TRY(const auto renewed, authority.tick());
    return !renewed.empty() || authority.index().crl_number != list;
  });
}

Result<ClientCertificate> TLSConfig::issue_client(const std::string& name, std::optional<std::chrono::days> life) {
  using Out = ClientCertificate;
  return with_authority<Out>(folder_, options_, [&](control::Certificates& authority) -> Result<Out> {
    control::CertificateWish wish;
    wish.name = name;
    wish.life = life;
    SP_TRY(auto made, authority.issue(std::move(wish), kBy));
    return Out{std::move(made.certificate_pem), std::move(made.authority_pem), std::move(made.record.serial),
               std::move(made.key_pem)};
  });
}

Result<void> TLSConfig::revoke(std::string_view serial) {
  return with_authority<void>(folder_, options_, [&](control::Certificates& authority) -> Result<void> {
    SP_CHECK(authority.revoke(serial, crypto::RevocationReason::key_compromise, kBy));
    return {};
  });
}

}  // namespace sallyport::sdk
