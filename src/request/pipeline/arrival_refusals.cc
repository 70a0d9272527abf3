#include "request/pipeline/arrival_refusals.h"

namespace sallyport {
namespace {

using net::ArrivalFault;

Code code_of(ArrivalFault fault) {
  switch (fault) {
    case ArrivalFault::untrusted_proxy:
    case ArrivalFault::challenge_refused: return Code::access_denied;
    case ArrivalFault::proxy_header: return Code::bad_framing;
    case ArrivalFault::too_many_handshakes:
    case ArrivalFault::tls_flood: return Code::rate_limited;
    case ArrivalFault::timeout: return Code::request_timeout;
    case ArrivalFault::certificate: return Code::unauthenticated;
    default: return Code::crypto;
  }
}

void record(Worker& w, const net::Peer& peer, const Decision& decision) {
  const std::uint64_t admitted = w.admit_flood_record(w.fleet.clock.steady());
  if (admitted == 0) return;
  audit::AuditRecord record;
  record.set(decision);
  record.kind = audit::Kind::refusal;
  record.time = w.fleet.clock.wall();
  record.request_id = w.new_request_id();
  record.event_type = audit::kSecurity;
  record.action = "connect";
  record.client_ip = peer.ip;
  if (admitted > 1) record.evidence += "; " + std::to_string(admitted - 1) + " more refused since the last such record";
  const auto written = w.audit.write(record);
  if (written) w.metrics.event(telemetry::Event::audit_record);
  else w.fleet.log.write(telemetry::Level::error, "audit record not written", {{"why", written.error().detail}});
  w.fleet.log.write(telemetry::Level::warning, "connection refused",
                    {{"why", record.reason}, {"detail", record.evidence}, {"client", peer.ip}}, record.request_id);
}

}  // namespace

void record_refused_arrival(Worker& w, const net::Peer& peer, const net::ArrivalFailure& failed) {
  using enum ArrivalFault;
  if (failed.fault == closed || failed.fault == draining || failed.fault == challenge) return;
  if (failed.fault == ArrivalFault::certificate || failed.fault == ArrivalFault::handshake) {
    w.metrics.event(telemetry::Event::tls_failure);
  }
  if (failed.fault == ArrivalFault::too_many_handshakes) w.metrics.event(telemetry::Event::rate_limit_violation);
  w.metrics.refusal(Stage::listener, code_of(failed.fault));
  const std::string name(net::arrival_fault_name(failed.fault));
  record(w, peer, Decision::denied(Stage::listener, "connection." + name, name, failed.detail));
}

void record_refused_edge(Worker& w, const net::Peer& peer, const EdgeVerdict& verdict) {
  w.metrics.refusal(Stage::listener, verdict.code);
  record(w, peer, verdict.decision);
}

}  // namespace sallyport
