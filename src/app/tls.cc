#include "app/tls.h"

#include <sys/stat.h>

#include <algorithm>

#include "app/tls_files.h"
#include "control/certificate_terms.h"

namespace sallyport::app {
namespace {

constexpr std::chrono::hours kWarnAgain{24};

net::ClientCertificates clients_of(const config::TlsSettings& settings) {
  if (settings.client_certificates == "required") return net::ClientCertificates::required;
  return settings.client_certificates == "optional" ? net::ClientCertificates::optional : net::ClientCertificates::none;
}

net::TlsProfile profile_of(const config::TlsSettings& settings) {
  return settings.profile == "modern" ? net::TlsProfile::modern : net::TlsProfile::intermediate;
}

bool is_there(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0;
}

// 0: long to go.
int urgency(const net::PeerCertificate& certificate, WallTime now) {
  const auto state = control::state_of(certificate.not_before, certificate.not_after, now);
  return std::min(static_cast<int>(state), static_cast<int>(control::CertificateState::ends_very_soon));
}

}  // namespace

TlsDesk::TlsDesk(TlsDeps deps)
    : deps_(std::move(deps)), tickets_(net::TicketKeys::fresh(deps_.random)), tickets_made_(deps_.clock.steady()) {}

Result<void> TlsDesk::open() {
  SP_TRY(auto server, read());
  take(std::move(server), "serve_certificate");
  return {};
}

TlsDesk::Stamps TlsDesk::stamps() const {
  const auto& tls = deps_.settings.tls;
  Stamps out{};
  std::size_t i = 0;
  for (const std::string* const path : {&tls.certificate, &tls.key, &tls.client_ca, &tls.crl, &tls.ocsp}) {
    struct stat info{};
    Stamp& stamp = out[i++];
    if (path->empty() || ::stat(path->c_str(), &info) != 0) continue;
    const auto seconds = static_cast<std::uint64_t>(info.st_mtim.tv_sec);
    stamp = {info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size),
             seconds * 1'000'000'000 + static_cast<std::uint64_t>(info.st_mtim.tv_nsec)};
  }
  return out;
}

Result<net::TlsMaterial> TlsDesk::read_material() const {
  const auto& tls = deps_.settings.tls;
  net::TlsMaterial out;
  out.profile = profile_of(tls);
  out.client_certificates = clients_of(tls);
  SP_TRY(out.chain, read_tls_file("tls.certificate", tls.certificate));
  SP_TRY(out.key, read_tls_key("tls.key", tls.key));
  if (!tls.ocsp.empty()) {
    auto ocsp = read_tls_file("tls.ocsp", tls.ocsp);
    if (ocsp) out.ocsp = *std::move(ocsp);
    else if (server_ == nullptr) return fail(std::move(ocsp).error());
    else deps_.note("refuse_ocsp", ocsp.error().detail + "; it is not stapled", true);
  }
  SP_CHECK(read_clients(out));
  return out;
}

Result<void> TlsDesk::read_clients(net::TlsMaterial& out) const {
  const auto& tls = deps_.settings.tls;
  if (out.client_certificates == net::ClientCertificates::none) return {};
  SP_TRY(out.client_ca, read_tls_file("tls.client_ca", tls.client_ca));
  // One that was there and is gone would let in whom it had revoked.
  if (tls.crl_required || had_crl_ || is_there(tls.crl)) {
    SP_TRY(out.crl, read_tls_file("tls.crl", tls.crl, kTlsListMax));
  }
  return {};
}

Result<std::shared_ptr<const net::TlsServer>> TlsDesk::read() {
  read_stamps_ = stamps();  // before the files: what changes while they are read is seen by the next look
  SP_TRY(auto material, read_material());
  auto server = net::TlsServer::make(material, tickets_, deps_.clock);
  if (!server && server_ != nullptr && !material.ocsp.empty()) {
    server = make_without_ocsp(material, server.error());
  }
  if (server) had_crl_ = !material.crl.empty();
  return server;
}

// While running, what nobody has to have does not hold up what the other files say.
Result<std::shared_ptr<const net::TlsServer>> TlsDesk::make_without_ocsp(net::TlsMaterial& material, const Error& why) {
  material.ocsp.clear();
  SP_TRY(auto server, net::TlsServer::make(material, tickets_, deps_.clock));
  deps_.note("refuse_ocsp", why.detail + "; it is not stapled", true);
  return server;
}

Result<std::shared_ptr<const net::TlsServer>> TlsDesk::with_clients() {
  net::TlsMaterial material;
  material.profile = profile_of(deps_.settings.tls);
  material.client_certificates = clients_of(deps_.settings.tls);
  SP_CHECK(read_clients(material));
  SP_TRY(auto server, server_->with_clients(material));
  had_crl_ = !material.crl.empty();
  return server;
}

std::string TlsDesk::described() const {
  const auto& certificate = server_->certificate();
  return certificate.subject + ", SHA-256 " + certificate.fingerprint_sha256 + ", until " +
         iso_time(certificate.not_after);
}

void TlsDesk::take(std::shared_ptr<const net::TlsServer> server, std::string_view what) {
  const bool other =
      server_ == nullptr || server_->certificate().fingerprint_sha256 != server->certificate().fingerprint_sha256;
  server_ = std::move(server);
  const auto since_epoch = server_->certificate().not_after.time_since_epoch();
  expires_ = std::chrono::duration_cast<std::chrono::seconds>(since_epoch).count();
  if (other) warned_ = 0;
  deps_.note(what, described(), false);
  if (const auto until = server_->ocsp_until(); until && *until <= deps_.clock.wall()) {
    deps_.log.warning("the OCSP response has ended and is not stapled", {{"until", iso_time(*until)}});
  }
  warn_of_expiry();
}

Task<Result<void>> TlsDesk::reload() {
  auto server = read();
  if (!server) {
    ++failures_;
    co_await keep_certificate(server.error());
    co_return fail(std::move(server).error());
  }
  ++reloads_;
  take(std::move(*server), "serve_certificate");
  co_await deps_.hand_out(server_);
  co_return Result<void>{};
}

// A revocation takes effect though another file is broken, or the certificate has expired.
Task<void> TlsDesk::keep_certificate(const Error& why) {
  std::string text = why.detail + "; what was served before goes on";
  if (clients_of(deps_.settings.tls) == net::ClientCertificates::none) {
    deps_.note("refuse_certificate", std::move(text), true);
    co_return;
  }
  auto server = with_clients();
  if (!server && server.error().detail != why.detail) text += "; revocations too: " + server.error().detail;
  deps_.note("refuse_certificate", std::move(text), true);
  if (!server) co_return;
  server_ = *std::move(server);
  deps_.note("serve_revocations", "tls.client_ca and tls.crl as they are now, with the certificate served before",
             false);
  co_await deps_.hand_out(server_);
}

Task<void> TlsDesk::watch() {
  if (stamps() != read_stamps_) (void)co_await reload();
  const SteadyTime now = deps_.clock.steady();
  if (now - tickets_made_ >= net::kTicketLifetime) {
    tickets_made_ = now;
    tickets_ = tickets_->next(deps_.random);
    server_ = server_->with_tickets(tickets_);
    co_await deps_.hand_out(server_);
  }
  warn_of_expiry();
}

void TlsDesk::warn_of_expiry() {
  const auto& certificate = server_->certificate();
  const WallTime wall = deps_.clock.wall();
  const int now = urgency(certificate, wall);
  const SteadyTime steady = deps_.clock.steady();
  if (now == 0 || (now <= warned_ && steady - warned_at_ < kWarnAgain)) return;
  warned_ = now;
  warned_at_ = steady;
  const auto left = std::chrono::duration_cast<std::chrono::hours>(certificate.not_after - wall).count();
  deps_.log.write(
      now == 2 ? telemetry::Level::error : telemetry::Level::warning,
      certificate.not_after <= wall ? "the served certificate has expired" : "the served certificate ends soon",
      {{"hours_left", left}, {"subject", certificate.subject}, {"until", iso_time(certificate.not_after)}});
}

std::string TlsDesk::metrics() const {
  const auto family = [](std::string_view name, std::string_view help, std::string_view kind, std::int64_t value) {
    std::string out("# HELP ");
    out.append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ").append(kind).append("\n");
    return out.append(name).append(" ").append(std::to_string(value)).append("\n");
  };
  return family("sallyport_tls_certificate_expiry_timestamp_seconds", "When the served certificate ends, in Unix time.",
                "gauge", expires_) +
         family("sallyport_tls_reloads_total", "Certificates taken up while running.", "counter", reloads_) +
         family("sallyport_tls_reload_failures_total", "Changed files that were refused; the old ones are served.",
                "counter", failures_);
}

}  // namespace sallyport::app
