// All upstream sessions of one worker, keyed by (server, principal), or by server where the record says shared. Opens
// on first use, restarts with back-off, asks the breaker, keeps the caps, ends idle sessions. Made and used on one
// worker's thread only; the breaker behind it is shared by all workers. Call stop() before it goes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "request/upstream/deps.h"
#include "request/upstream/session.h"

namespace sallyport::upstream {

class Upstreams {
 public:
  Upstreams(Executor executor, Deps deps, Settings settings);
  Upstreams(const Upstreams&) = delete;
  Upstreams& operator=(const Upstreams&) = delete;
  ~Upstreams();

  // The session of `principal` with this server, opened if need be (others who ask meanwhile wait for the same one). A
  // record that differs from the one a session was opened with replaces it. Errors: breaker_open, limit (caps),
  // upstream_unavailable (start failed, or resting after failures), upstream_timeout, upstream_protocol,
  // egress_refused, config (a reference that cannot be resolved), cancelled, draining.
  // Who asks waits until `deadline` at the latest (upstream_timeout); the opening itself has the server's start_timeout.
  Task<Result<SessionPtr>> session(ServerPtr server, std::string principal, SteadyTime deadline = SteadyTime::max());
  // The open session of `principal` with that server; null where there is none.
  [[nodiscard]] SessionPtr find(std::string_view server, std::string_view principal) const;
  // A session of its own, not in the table, without back-off: for a probe. To be given back by close_private.
  Task<Result<SessionPtr>> open_private(ServerPtr server, Listener listener);
  void close_private(SessionPtr session);

  // Revocation: ends the principal's own sessions, calls in flight fail with `cancelled` (design, principle 3).
  void end_principal(std::string_view principal);
  // Registry change, disable, `server restart`: ends every session with that server, forgets back-off and breaker.
  void end_server(std::string_view server);
  // A secret of that server's changed: sessions of principals that match (empty: shared) give way to others. `now`: calls in
  // flight fail with `cancelled`; else they end first, within the longest time that a call may take.
  void renew(std::string_view server, bool now, const std::function<bool(const std::string& principal)>& matches);
  // Everything is closed, children have exited when it returns; later session() calls say `draining`.
  Task<void> stop();

  void set_listener(Listener listener) { listener_ = std::move(listener); }
  [[nodiscard]] const Deps& deps() const noexcept { return deps_; }
  [[nodiscard]] std::size_t size() const noexcept;  // sessions open or opening
  [[nodiscard]] std::size_t restarts() const noexcept { return restarts_; }

 private:
  struct Entry;
  class Waiter;
  using EntryPtr = std::shared_ptr<Entry>;
  using Key = std::pair<std::string, std::string>;  // server, principal (empty: shared)

  EntryPtr entry_for(const ServerPtr& server, const Key& key);
  Result<void> may_open(const Entry& entry);
  Result<void> make_room(const Key& key);
  bool free_one(const std::function<bool(const Key&)>& matches);
  void start(const EntryPtr& entry);
  Task<Result<SessionPtr>> wait_for(EntryPtr entry, SteadyTime deadline);
  Task<void> open(EntryPtr entry);
  Task<Result<void>> connect(Entry& entry);
  SessionPtr make_session(const EntryPtr& entry);
  void note_failure(Entry& entry);
  void retire(Entry& entry);
  void close_leaving();
  void end(const EntryPtr& entry, const Error& why);
  Task<void> close(SessionPtr session);
  Task<void> sweep();
  void sweep_once(SteadyTime now);

  Executor executor_;
  Deps deps_;
  Settings settings_;
  TaskGroup tasks_;
  SteadyTimer sweep_timer_;
  Listener listener_;
  std::map<Key, EntryPtr> entries_;
  std::vector<EntryPtr> leaving_;  // renewed while a call was in flight: closed after it
  std::vector<EntryPtr> private_;                // of open_private, until given back
  std::vector<std::weak_ptr<Session>> watched_;  // every session, for deadlines
  std::size_t restarts_ = 0;
  bool sweeping_ = false;
  bool stopping_ = false;
};

}  // namespace sallyport::upstream
