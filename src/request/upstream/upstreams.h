// All upstream sessions of one worker, keyed by (server, principal), or by server where the record says shared. Opens on
// first use, restarts with back-off, asks the breaker, keeps the caps, ends idle sessions. Made and used on one worker's
// thread only; the breaker behind it is shared by all workers. Call stop() before it goes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/secret.h"
#include "request/upstream/session.h"

namespace sallyport::net {
class EgressClient;
}
namespace sallyport::launcher {
class Launcher;
}

namespace sallyport::upstream {

class Breakers;
class Connector;

// What the composition root hands down; all of it outlives the Upstreams.
struct Deps {
  const Clock& clock;
  Random& random;
  net::EgressClient* egress = nullptr;     // of this worker; null: servers over HTTP are refused
  launcher::Launcher* launcher = nullptr;  // null: stdio servers are refused
  Breakers* breakers = nullptr;            // one for all workers; null: no breaker
  // "${env:NAME}", "${file:path}" or a plain value -> the secret. Called when a session opens.
  std::function<Result<Secret>(std::string_view reference)> resolve;
  Log log;
};

class Upstreams {
 public:
  Upstreams(Executor executor, Deps deps, Settings settings);
  Upstreams(const Upstreams&) = delete;
  Upstreams& operator=(const Upstreams&) = delete;
  ~Upstreams();

  // The session of `principal` with this server, opened if need be (others who ask meanwhile wait for the same one). A
  // record that differs from the one a session was opened with replaces it. Errors: breaker_open, limit (caps),
  // upstream_unavailable (start failed, or resting after a failure), upstream_timeout, egress_refused, draining.
  Task<Result<SessionPtr>> session(ServerPtr server, std::string_view principal);
  // A session of its own, not in the table and without back-off: for a probe. The caller closes it.
  Task<Result<SessionPtr>> open_private(ServerPtr server, Listener listener);

  // Revocation: ends the principal's own sessions, calls in flight fail with `cancelled` (design, principle 3).
  void end_principal(std::string_view principal);
  // Registry change, disable, `server restart`: ends every session with that server and forgets its back-off.
  void end_server(std::string_view server);
  // Everything is closed, children have exited when it returns; later session() calls say `draining`.
  Task<void> stop();

  void set_listener(Listener listener) { listener_ = std::move(listener); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t restarts() const noexcept { return restarts_; }

 private:
  struct Entry;
  using Key = std::pair<std::string, std::string>;  // server, principal (empty: shared)

  std::shared_ptr<Entry> entry_for(const ServerPtr& server, const Key& key);
  Result<void> make_room(const Key& key);
  Task<void> open(std::shared_ptr<Entry> entry);
  void opened(Entry& entry, Result<SessionPtr> session);
  void end(const std::shared_ptr<Entry>& entry, Code why, std::string_view text);
  Task<void> close_session(SessionPtr session, Error why);
  Task<void> sweep();

  Deps deps_;
  Settings settings_;
  TaskGroup tasks_;
  std::unique_ptr<Connector> connector_;
  Listener listener_;
  std::map<Key, std::shared_ptr<Entry>> entries_;
  std::size_t restarts_ = 0;
  bool stopping_ = false;
};

}  // namespace sallyport::upstream
