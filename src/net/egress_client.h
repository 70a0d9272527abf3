// The one egress client: every fetch of the gateway, HTTP or HTTPS or HTTP over a Unix socket, goes through it, and
// with it through the SSRF guard (design.md section 3). One a worker, on that worker's thread only; it outlives its
// streams. Redirects are never followed. Keep-alive connections are pooled by target, dropped by age below any usual
// peer's time-out. Retried only what was not sent, or an idempotent request on a pooled connection that gave no byte.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"
#include "net/egress_target.h"
#include "net/http_message.h"
#include "net/http_response_reader.h"
#include "net/timeouts.h"
#include "net/tls_terms.h"

namespace sallyport::net {

class TlsWorkshop;

struct EgressRequest {
  std::shared_ptr<const EgressTarget> target;
  std::string method = "POST";
  std::string path;  // path and query; empty: the target's own
  Headers headers;  // Content-Type, Accept, ...; never Host, Content-Length, Connection, Transfer-Encoding
  std::string body;
  SteadyTime deadline = SteadyTime::max();  // for all of it; fetch() and open() refuse to start without one
  ResponseLimits limits;
  std::function<void()> sending;  // called on a connection that stands, right before the first byte; once for each try
};

struct EgressResponse {
  ResponseHead head;
  std::string body;
};

class EgressStream;

struct EgressAnswer {
  EgressResponse whole;
  std::unique_ptr<EgressStream> stream;  // where set, `whole` is empty
};

struct EgressOptions {
  std::size_t idle_per_target = 64;
  std::size_t connections_per_target = 256;
  std::chrono::milliseconds idle_age{4'000};  // below the 5 s of Node, the shortest of the usual peers
  std::chrono::milliseconds connect_timeout{10'000};
  std::string ca_file;  // PEM; empty: the system's
  TlsWorkshop* workshop =
      nullptr;  // makes TLS contexts; null: made here and now, for clients whose thread serves nobody else
};

class EgressConnection;
class EgressClient;
// An answer whose body is read as it comes (SSE). Closing or destroying it before its end ends the connection.
class EgressStream {
 public:
  EgressStream(EgressClient& client, std::unique_ptr<EgressConnection> connection, SteadyTime deadline);
  ~EgressStream();
  [[nodiscard]] const ResponseHead& head() const noexcept { return head_; }
  [[nodiscard]] int status() const noexcept { return head_.status; }
  // The next bytes of the body; empty: the end. Errors: upstream_timeout, upstream_protocol, upstream_too_large,
  // upstream_unavailable (cut off), cancelled (closed here).
  Task<Result<std::string>> read_some();
  // Moves the deadline, e.g. for a stream that shows life.
  void set_deadline(SteadyTime deadline);
  // From another task of the same worker: ends a read_some that waits.
  void close();

 private:
  EgressClient& client_;
  std::unique_ptr<EgressConnection> connection_;
  ResponseHead head_;
  bool closed_ = false;
};

class EgressClient {
 public:
  EgressClient(Executor executor, DeadlineSweep& sweep, EgressOptions options = {});
  ~EgressClient();
  EgressClient(const EgressClient&) = delete;
  EgressClient& operator=(const EgressClient&) = delete;

  // The whole answer, whatever its status. Errors: egress_refused (the guard), upstream_unavailable (resolve, connect,
  // TLS, cut off), upstream_timeout, upstream_protocol, upstream_too_large, limit (connections of one target).
  Task<Result<EgressResponse>> fetch(EgressRequest request);
  // The answer's head, then its body as it comes. The same errors.
  Task<Result<std::unique_ptr<EgressStream>>> open(EgressRequest request);

  // Either, as the answer's own head says: 200 with text/event-stream is a stream, anything else is read whole, up to
  // `whole_bytes_max` (upstream_too_large beyond).
  Task<Result<EgressAnswer>> ask(EgressRequest request, std::uint64_t whole_bytes_max);

  // What EgressTarget::make takes, read and checked by the workshop. Errors: config.
  Task<Result<TlsTermsPtr>> terms(TlsSources sources);

  // Closes idle connections: all of them, or those of one target (its credentials changed).
  void drop_idle();
  void drop_idle(const EgressTarget& target);
  [[nodiscard]] std::size_t idle() const noexcept;

 private:
  friend class EgressStream;
  friend struct EgressPool;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sallyport::net
