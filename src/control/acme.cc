#include "control/acme.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "crypto/x509_key.h"

namespace sallyport::control {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileBytesMax = 256U << 10;
constexpr std::chrono::seconds kLimit{300};

Result<void> make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail(Code::io, "make " + folder.string() + ": " + std::generic_category().message(errno));
}

// lego writes <webroot>/.well-known/acme-challenge/TOKEN, the listener reads <certs>/acme/TOKEN: one folder by two names.
Result<void> make_webroot(const fs::path& webroot) {
  SP_CHECK(make_folder(webroot));
  SP_CHECK(make_folder(webroot / ".well-known"));
  const fs::path link = webroot / ".well-known" / "acme-challenge";
  if (::symlink("..", link.c_str()) == 0 || errno == EEXIST) return {};
  return fail(Code::io, "make " + link.string() + ": " + std::generic_category().message(errno));
}

Result<std::string> read_file(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail(Code::not_found, "the ACME client left no " + path.filename().string());
  std::string text(kFileBytesMax + 1, '\0');
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < text.size(); size += static_cast<std::size_t>(got)) {
    got = ::read(fd, text.data() + size, text.size() - size);
    if (got < 0) break;
  }
  ::close(fd);
  if (size > kFileBytesMax) return fail(Code::limit, path.string() + " is too long");
  text.resize(size);
  return text;
}

bool names(const crypto::CertificateFacts& facts, const std::string& host) {
  return std::ranges::any_of(facts.alt_names, [&](const crypto::AltName& name) {
    return name.kind == crypto::AltNameKind::dns && name.value == host;
  });
}

Result<void> check(const crypto::Certificate& leaf, const crypto::CertificateKey& key, const AcmeRules& rules,
                   WallTime now) {
  const auto& facts = leaf.facts();
  if (!leaf.belongs_to(key)) return fail(Code::crypto, "the certificate belongs to another key");
  if (facts.is_ca || !facts.for_server) return fail(Code::validation, "the certificate is not for serving");
  if (facts.not_after <= now) return fail(Code::validation, "the certificate has ended already");
  for (const std::string& host : rules.hosts) {
    if (!names(facts, host)) return fail(Code::validation, "the certificate does not name " + host);
  }
  return {};
}

}  // namespace

Result<ChildOrder> acme_order(const AcmeRules& rules, const fs::path& certs) {
  SP_CHECK(make_folder(certs / "lego"));
  SP_CHECK(make_webroot(certs / "acme"));
  ChildOrder order;
  order.argv = {rules.program, "--accept-tos", "--server", rules.directory,
                "--email",     rules.email,    "--path",   (certs / "lego").string(),
                "--key-type",  "ec256"};
  for (const std::string& host : rules.hosts) order.argv.insert(order.argv.end(), {"--domains", host});
  if (rules.tls_alpn) {
    order.argv.insert(order.argv.end(), {"--tls", "--tls.port", ":" + std::to_string(rules.port)});
  } else {
    order.argv.insert(order.argv.end(), {"--http", "--http.webroot", (certs / "acme").string()});
  }
  order.argv.emplace_back("run");
  order.environment = {"PATH=/usr/bin:/bin", "HOME=" + (certs / "lego").string()};
  if (!rules.ca.empty()) order.environment.push_back("LEGO_CA_CERTIFICATES=" + rules.ca);
  order.folder = (certs / "lego").string();
  order.limit = kLimit;
  return order;
}

Result<AcmeCertificate> take_acme_certificate(const AcmeRules& rules, const fs::path& certs, WallTime now) {
  const fs::path folder = certs / "lego" / "certificates";
  const std::string name = rules.hosts.front();
  SP_TRY(std::string chain_pem, read_file(folder / (name + ".crt")));
  SP_TRY(std::string key_text, read_file(folder / (name + ".key")));
  const Secret key_pem(std::move(key_text));
  SP_TRY(const auto chain, crypto::Certificate::chain_from_pem(chain_pem));
  SP_TRY(const auto key, crypto::CertificateKey::from_pem(key_pem.reveal()));
  SP_CHECK(check(chain.front(), key, rules, now));
  SP_TRY(Secret pkcs8, key.private_pem());
  std::error_code error;
  fs::remove_all(folder, error);  // the key is in one place
  return AcmeCertificate{std::move(chain_pem), std::move(pkcs8)};
}

}  // namespace sallyport::control
