// What the plain port beside a TLS one answers (setting listen.redirect_port): where the same thing is over HTTPS, and the
// tokens by which an ACME authority checks that the name is ours (RFC 8555 8.3). Nothing else: no credential is read, none
// is asked for, and no name is redirected to that the Host list does not have. One a listener, its worker's thread only.
#pragma once

#include <functional>
#include <string>

#include "core/task.h"
#include "net/server_connection.h"
#include "request/listener/edge.h"

namespace sallyport {

struct RedirectSettings {
  std::uint16_t https_port = 8443;
  std::string challenges;  // folder of <home>/certs/acme: a file is a token, its text the key authorization
};

class Redirect {
 public:
  // `edge`: with the plain port as its own; outlives it. `next_id` names answers, `on_refused` hears of a Host or Origin
  // that is not allowed.
  Redirect(const Edge& edge, RedirectSettings settings, std::function<std::string()> next_id,
           std::function<void(const net::Peer&, const EdgeVerdict&)> on_refused);

  Task<void> serve(net::ServerExchange& exchange);
  // The answer to a request that passed the edge.
  [[nodiscard]] net::Response answer(const net::RequestHead& head) const;

 private:
  [[nodiscard]] net::Response challenge(std::string_view token) const;

  const Edge& edge_;
  RedirectSettings settings_;
  std::function<std::string()> next_id_;
  std::function<void(const net::Peer&, const EdgeVerdict&)> on_refused_;
};

}  // namespace sallyport
