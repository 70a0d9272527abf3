// What the gateway says of its own certificates before it is too late: to health, status and doctor, to log and audit.
#include "app/certificate_desk.h"
#include "app/doors.h"
#include "app/tls_files.h"
#include "app/worker_unit.h"
#include "crypto/x509.h"

namespace sallyport::app {
namespace {

using control::CertificateKind;
using control::CertificateTerm;
using control::CertificateWarning;
using control::IssuedCertificate;

constexpr std::string_view kOwnFiles =
    "put a renewed certificate and its key where tls.certificate and tls.key name them; they are taken up within "
    "seconds";
constexpr std::string_view kAuthority =
    "sallyport certs renew ca, and give its new file to all who trust it (sallyport certs trust)";
constexpr std::string_view kList =
    "see in the log why it is not written (disk, owner and mode of <home>/certs); it is tried again each hour";
constexpr std::string_view kAcme = "see in the log what the ACME client said, and acme.* (docs/certificates.md)";
constexpr std::string_view kRestore = "restore <home>/certs and <home>/keys from one backup (docs/backup.md)";

// What is in handshakes; of a gateway that does not serve now: what would be.
std::optional<CertificateTerm> served_term(const config::TlsSettings& tls, const TlsDesk* desk) {
  if (!tls.enabled) return std::nullopt;
  CertificateTerm out{.what = "served", .fix = std::string(kOwnFiles)};
  if (desk != nullptr) {
    const auto& shown = desk->server()->certificate();
    out.name = shown.subject;
    out.id = shown.fingerprint_sha256;
    out.begins = shown.not_before;
    out.ends = shown.not_after;
    return out;
  }
  const auto pem = read_tls_file("tls.certificate", tls.certificate);
  const auto chain = pem ? crypto::Certificate::chain_from_pem(*pem) : fail(pem.error());
  if (!chain) return std::nullopt;  // the start says what is wrong with it
  const auto& facts = chain->front().facts();
  out.name = facts.subject;
  out.id = facts.fingerprint_sha256;
  out.begins = facts.not_before;
  out.ends = facts.not_after;
  return out;
}

std::string fix_of(const IssuedCertificate& server, const IssuedCertificate* authority, bool by_acme) {
  if (by_acme) return std::string(kAcme);
  if (authority == nullptr || server.not_after < authority->not_after) return "sallyport certs renew server";
  return std::string(kAuthority) + ", then sallyport certs renew server";
}

CertificateTerm term_of(std::string what, const IssuedCertificate& one, std::string fix) {
  return {.what = std::move(what),
          .name = one.name,
          .id = one.fingerprint_sha256,
          .begins = one.not_before,
          .ends = one.not_after,
          .fix = std::move(fix)};
}

}  // namespace

std::vector<CertificateTerm> App::CertificateDesk::terms() const {
  std::vector<CertificateTerm> out;
  const auto served = served_term(app_.options_.settings.tls, app_.doors_ ? app_.doors_->tls() : nullptr);
  const auto* const authority = store_.in_use(CertificateKind::authority);
  const auto* const server = store_.in_use(CertificateKind::server);
  if (served) out.push_back(*served);
  if (server != nullptr) {
    if (!served || served->id != server->fingerprint_sha256) out.push_back(term_of("server", *server, {}));
    const bool by_acme = server->foreign || acme_.enabled;
    out.back().fix = fix_of(*server, authority, by_acme);
    out.back().renewal_failed = by_acme ? acme_failure_
                                : store_.is_due(CertificateKind::server) ? renewal_failure_
                                                                         : "";
  }
  if (!store_.ready() || authority == nullptr) return out;
  out.push_back(term_of("authority", *authority, std::string(kAuthority)));
  const auto& index = store_.index();
  out.push_back({.what = "revocations",
                 .id = "list-" + std::to_string(index.crl_number),
                 .begins = index.crl_update,
                 .ends = index.crl_next,
                 .renewal_failed = store_.is_due(CertificateKind::authority) ? renewal_failure_ : "",
                 .fix = std::string(kList)});
  return out;
}

std::vector<CertificateWarning> App::CertificateDesk::warnings() const {
  auto out = control::warnings_of(terms(), app_.clock_.wall());
  if (!unusable_.empty()) {
    CertificateWarning one{.what = "authority", .id = "unusable", .state = "unusable", .fix = std::string(kRestore)};
    one.text = "the certificate authority cannot be used: " + unusable_;
    out.push_back(std::move(one));
  }
  return out;
}

void App::CertificateDesk::watch() {
  const auto kept = alerts_.look(warnings());
  if (!kept) app_.log_.error("what was told of certificates is not kept", {{"why", kept.error().detail}});
}

// Once for each certificate and state, in log and audit.
void App::CertificateDesk::tell(const CertificateWarning& warning) {
  const bool over = warning.state == "expired";
  app_.note(over ? "certificate_expired" : "certificate_ends_soon", "certificate",
            warning.text + "; sha256=" + warning.id + "; fix: " + warning.fix, true, over);
}

}  // namespace sallyport::app
