// Accepts connections and serves them with one handler: one Listener a worker, all on the same port (SO_REUSEPORT), and
// the admin socket on one of them. Owned by app; its methods run on its worker's thread. Limits on connections, in
// all and by address, are counted across workers in a shared ConnectionLimits.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"
#include "net/arrival.h"
#include "net/server_connection.h"

namespace sallyport {

// Shared by all workers, lock-free. Addresses share 64-bit atomic slots by hash (IPv6: by /64); a collision can only
// make the limit by address stricter.
class ConnectionLimits {
 public:
  ConnectionLimits(std::uint32_t in_all, std::uint32_t per_address)
      : in_all_max_(in_all), per_address_max_(per_address) {}

  // False: refused and counted; else give it back with release().
  bool admit(const IpAddress& address) noexcept;
  void release(const IpAddress& address) noexcept;
  // The same in two steps, for a connection whose client is known later (PROXY protocol): name() once it is. What was
  // admitted and never named is given back with release_unnamed().
  bool admit_unnamed() noexcept;
  bool name(const IpAddress& address) noexcept;
  void release_unnamed() noexcept;
  [[nodiscard]] std::uint64_t open() const noexcept { return open_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] std::atomic<std::uint64_t>& slot(const IpAddress& address) noexcept;
  std::uint64_t in_all_max_, per_address_max_;
  std::atomic<std::uint64_t> open_{0}, refused_{0};
  std::array<std::atomic<std::uint64_t>, 8192> by_address_{};
};

struct ListenerSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8000;  // 0: any; see Listener::port()
  bool reuse_port = true;  // several workers on one port
  bool first = true;  // of them: it makes sure that no other program has the port
  std::string admin_socket;  // path; empty: not on this worker
  std::string_view port_setting = "--port";  // what to change where the port is taken
  net::ServerSettings server;
  net::ArrivalSettings arrival;  // of TCP; the admin socket has neither
  // A connection that never came to HTTP; called on the worker's thread. It may be many a second.
  std::function<void(const net::Peer&, const net::ArrivalFailure&)> on_refused;
};

// For metrics; written by the worker, read by any thread.
struct ListenerCounters {
  std::atomic<std::uint64_t> accepted{0}, refused{0}, accept_errors{0};
};

class Listener {
 public:
  // `limits`, `sweep` and `clock` outlive it.
  Listener(Executor executor, ListenerSettings settings, net::Handler handler, ConnectionLimits& limits,
           net::DeadlineSweep& sweep);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Binds and listens. Error: io, with what to do ("port 8000 is in use: stop the other server or choose --port").
  Result<void> bind();
  [[nodiscard]] std::uint16_t port() const noexcept;  // after bind()
  void start();  // begins to accept
  // What TCP connections that are accepted from now on are served with; null: plain HTTP. Open ones go on.
  void use_tls(std::shared_ptr<const net::TlsServer> tls);
  void stop_accepting();
  // Closes idle connections, lets running exchanges finish until `deadline`, then cancels them; joined when it returns.
  Task<void> drain(SteadyTime deadline);
  [[nodiscard]] const ListenerCounters& counters() const noexcept;
  [[nodiscard]] std::size_t connections() const noexcept;
  [[nodiscard]] std::uint64_t requests() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sallyport
