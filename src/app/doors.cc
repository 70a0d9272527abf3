#include "app/doors.h"

#include "app/certificate_desk.h"
#include "app/worker_unit.h"

namespace sallyport::app {
namespace {

EdgeSettings edge_settings(const config::ListenSettings& listen) {
  EdgeSettings edge;
  edge.port = listen.port;
  edge.hosts = listen.hosts;
  edge.origins = listen.origins;
  // With the PROXY protocol the peer is the client already; what headers say of it may be the client's own invention.
  if (!listen.proxy_protocol) edge.trusted_proxies = listen.trusted_proxies;
  return edge;
}

// The same names on another port: NAME:PORT means the TLS port.
EdgeSettings plain_edge_settings(const config::ListenSettings& listen) {
  EdgeSettings edge = edge_settings(listen);
  edge.port = listen.redirect_port;
  for (std::string& host : edge.hosts) {
    const auto colon = host.rfind(':');
    if (colon != std::string::npos && !host.ends_with(']')) host.resize(colon);
  }
  return edge;
}

}  // namespace

net::ArrivalSettings App::Doors::arrival() const {
  const auto& settings = app_.options_.settings;
  net::ArrivalSettings arrival;
  arrival.timeout = settings.limits.head_timeout;
  arrival.proxy_protocol = settings.listen.proxy_protocol;
  // Loopback alone is reached where none is named (config/checks_together.cc).
  arrival.proxies_only =
      settings.listen.behind_tls_proxy && !settings.tls.enabled && !settings.listen.trusted_proxies.empty();
  arrival.challenges = &app_.certificates_->challenges();
  for (const auto& proxy : settings.listen.trusted_proxies) {
    if (const auto cidr = Cidr::parse(proxy)) arrival.trusted_proxies.push_back(*cidr);
  }
  return arrival;
}

Result<void> App::Doors::open() {
  const auto& settings = app_.options_.settings;
  SP_TRY(edge_, Edge::make(edge_settings(settings.listen)));
  if (!app_.options_.listen || !settings.tls.enabled) return {};
  SP_TRY(plain_edge_, Edge::make(plain_edge_settings(settings.listen)));
  tls_.emplace(TlsDeps{settings, app_.clock_, app_.random_, app_.log_,
                       [this](std::string_view action, std::string text, bool warn) {
                         app_.note(action, "certificate", std::move(text), warn);
                       },
                       [this](std::shared_ptr<const net::TlsServer> server) { return hand_out(std::move(server)); }});
  SP_CHECK(tls_->open());
  app_.control_->certificates().ask_authorities([this] { return tls_->server()->client_authorities() > 1; });
  return {};
}

Task<void> App::Doors::hand_out(std::shared_ptr<const net::TlsServer> server) {
  for (auto& unit : app_.units_) {
    auto one = [](std::shared_ptr<const net::TlsServer> fresh, WorkerUnit& whose) -> Task<Result<bool>> {
      whose.listener.use_tls(fresh);
      whose.worker.take_tls(std::move(fresh));
      co_return true;
    };
    (void)co_await run_on<bool>(unit->io.get_executor(), one(server, *unit));
  }
}

void App::Doors::furnish(WorkerUnit& unit) {
  if (!tls_) return;
  unit.worker.tls = tls_->server();
  unit.listener.use_tls(tls_->server());
  const auto& settings = app_.options_.settings;
  if (unit.worker.index != 0 || settings.listen.redirect_port == 0) return;
  ListenerSettings listening;
  listening.address = settings.listen.address;
  listening.port = settings.listen.redirect_port;
  listening.reuse_port = false;
  listening.port_setting = "listen.redirect_port";
  listening.server = *app_.http_;
  listening.arrival = arrival();
  unit.plain = std::make_unique<PlainDoor>(unit.worker, *plain_edge_,
                                           RedirectSettings{settings.listen.port, settings.home + "/certs/acme"},
                                           unit.with_refusals(std::move(listening)), *app_.connections_, unit.sweep);
}

}  // namespace sallyport::app
