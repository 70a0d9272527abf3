// One worker with everything that lives on its thread, in the order in which it is built and, reversed, ended. Internal.
#pragma once

#include "app/app.h"
#include "app/plain_door.h"
#include "net/egress_client.h"

namespace sallyport::app {

struct App::WorkerUnit {
  WorkerUnit(App& app, unsigned index, upstream::Deps deps, const upstream::Settings& upstreams,
             ListenerSettings listening)
      : sweep(io.get_executor(), app.clock_),
        egress(io.get_executor(), sweep, {.workshop = &*app.workshop_}),
        worker(index, io.get_executor(), *app.fleet_, app.control_->snapshot(), app.audit_->writer(index),
               with_egress(std::move(deps)), upstreams),
        pipeline(worker),
        listener(
            io.get_executor(), with_refusals(std::move(listening)),
            [this](net::ServerExchange& exchange) { return pipeline.serve(exchange); }, *app.connections_, sweep),
        ticks(io.get_executor(), [&app](const char* what) { app.log_.error("tick failed", {{"what", what}}); }) {}

  upstream::Deps with_egress(upstream::Deps deps) {
    deps.egress = &egress;
    return deps;
  }
  ListenerSettings with_refusals(ListenerSettings settings) {
    settings.server.refuse = [this](net::ServerExchange& exchange, const Error& error) {
      return pipeline.refuse_broken(exchange, error);
    };
    settings.server.on_flood = [this](const net::Peer& peer) {
      record_refused_arrival(worker, peer, {net::ArrivalFault::tls_flood, std::string(net::kTlsFlood)});
    };
    settings.arrival.admit_handshake = [this](const IpAddress& client) {
      return worker.admission.handshake(*worker.snapshot->limits, client.text(), worker.fleet.clock.steady());
    };
    settings.on_refused = [this](const net::Peer& peer, const net::ArrivalFailure& failed) {
      record_refused_arrival(worker, peer, failed);
    };
    return settings;
  }

  // Only its own thread touches the worker's sockets and timers; others post.
  asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::executor_work_guard<Executor> work{io.get_executor()};
  net::DeadlineSweep sweep;
  net::EgressClient egress;
  Worker worker;
  Pipeline pipeline;
  Listener listener;
  std::unique_ptr<PlainDoor> plain;  // of the first worker, where listen.redirect_port is set
  TaskGroup ticks;
  std::thread thread;
};

}  // namespace sallyport::app
