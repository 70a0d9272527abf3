// The plain port beside a TLS one (listen.redirect_port), on one worker and on its thread. Owned by that worker's unit.
#pragma once

#include "request/listener/listener.h"
#include "request/listener/redirect.h"
#include "request/pipeline/arrival_refusals.h"

namespace sallyport::app {

class PlainDoor {
 public:
  // `edge` outlives it, as the rest does.
  PlainDoor(Worker& worker, const Edge& edge, RedirectSettings redirect, ListenerSettings listening,
            ConnectionLimits& limits, net::DeadlineSweep& sweep)
      : redirect_(
            edge, std::move(redirect), [&worker] { return worker.new_request_id(); },
            [&worker](const net::Peer& peer, const EdgeVerdict& verdict) {
              record_refused_edge(worker, peer, verdict);
            }),
        listener_(
            worker.executor, std::move(listening),
            [this](net::ServerExchange& exchange) { return redirect_.serve(exchange); }, limits, sweep) {}

  [[nodiscard]] Listener& listener() noexcept { return listener_; }

 private:
  Redirect redirect_;
  Listener listener_;
};

}  // namespace sallyport::app
