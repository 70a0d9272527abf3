// What stands before the first HTTP request of a connection: the PROXY header and the TLS handshake, where the settings ask
// for them, within one deadline. Whatever does not get through is named, so that it can be counted and audited; a peer that
// speaks HTTP to a TLS port gets a sentence. One Arrivals a listener; that worker's thread only.
#pragma once

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/challenge_gate.h"
#include "net/http_message.h"
#include "net/stream.h"
#include "net/timeouts.h"
#include "net/tls_server.h"

namespace sallyport::net {

struct ArrivalSettings {
  bool proxy_protocol = false;  // each connection must begin with its header
  std::vector<Cidr> trusted_proxies;  // who may send one
  bool proxies_only = false;  // nobody else is served: what they say in the clear went over TLS as far as them
  // Whether the client of that address may begin a TLS handshake now; asked once its ClientHello is whole, before any work on
  // it, and not of loopback and trusted_proxies. Null: anybody may.
  std::function<bool(const IpAddress&)> admit_handshake;
  std::chrono::milliseconds timeout{10'000};  // for header and handshake together
  ChallengeGate* challenges = nullptr;  // outlives the listener
};

enum class ArrivalFault : std::uint8_t {
  closed,  // gone before it said anything: a health check
  draining,
  timeout,
  untrusted_proxy,  // proxy_protocol or proxies_only, and the peer is none of trusted_proxies
  proxy_header,  // not one, or one that names nobody
  plain_http,  // HTTP without TLS
  too_many_handshakes,  // of its address, or of all
  certificate,  // the client's, or that there was none
  handshake,  // anything else of TLS
  tls_flood,  // TLS records without data, more than anybody needs; also after the handshake
  challenge_refused,  // as if it were the ACME authority's, but too many are, or no client of ours listens
  challenge,  // no fault: it was the ACME authority's, and is the relay's now
  count_
};

std::string_view arrival_fault_name(ArrivalFault fault) noexcept;

struct ArrivalFailure {
  ArrivalFault fault = ArrivalFault::handshake;
  std::string detail;  // for log and audit
};

class Arrivals {
 public:
  // `sweep` outlives it.
  Arrivals(ArrivalSettings settings, DeadlineSweep& sweep);
  Arrivals(const Arrivals&) = delete;
  Arrivals& operator=(const Arrivals&) = delete;

  // What connections that arrive from now on are served with; null: plain HTTP.
  void use(std::shared_ptr<const TlsServer> tls) noexcept { tls_ = std::move(tls); }
  [[nodiscard]] const std::shared_ptr<const TlsServer>& tls() const noexcept { return tls_; }
  // False: nothing stands before HTTP, and no task need be made for it.
  [[nodiscard]] bool asked_for() const noexcept {
    return settings_.proxy_protocol || settings_.proxies_only || tls_ != nullptr;
  }

  // Brings `stream` to where HTTP begins, and into `peer` what was learnt: address, TLS, certificate. A failure: close it.
  Task<std::optional<ArrivalFailure>> admit(Stream& stream, Peer& peer);
  // Ends those that are on their way; for a drain. Later ones fail at once.
  void cancel();

 private:
  class Deadline;
  Task<std::optional<ArrivalFailure>> read_proxy_header(Stream& stream, Peer& peer, const Deadline& deadline);
  Task<std::optional<ArrivalFailure>> shake_hands(Stream& stream, Peer& peer, const Deadline& deadline);
  static Task<HelloAim> aim_of_hello(Stream& stream);
  ArrivalFailure hand_on(Stream& stream, std::uint16_t port, const std::string& who);
  Task<void> say_goodbye(Stream& stream, const Deadline& deadline);
  [[nodiscard]] bool trusts(const IpAddress& address) const;
  ArrivalFailure ended(const Deadline& deadline, std::string detail) const;

  ArrivalSettings settings_;
  DeadlineSweep& sweep_;
  std::shared_ptr<const TlsServer> tls_;
  std::list<Stream*> waiting_;
  std::vector<std::weak_ptr<ChallengeRelay>> relays_;
  bool draining_ = false;
};

}  // namespace sallyport::net
