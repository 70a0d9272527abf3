// One worker: its executor and everything that only its thread may touch. Other workers reach it by run_on or post (design,
// Threads). Built and owned by app; Fleet knows all of them.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/task.h"
#include "request/admission/admission.h"
#include "request/audit/audit.h"
#include "request/authorization/authorization.h"
#include "request/identity/identity.h"
#include "request/mcp/session.h"
#include "request/pipeline/evidence_batch.h"
#include "request/pipeline/fleet.h"
#include "request/upstream/upstreams.h"
#include "telemetry/metrics.h"

namespace sallyport {

class Forwarder;
class Questions;
struct Subscription;

class Worker {
 public:
  Worker(unsigned index, Executor executor, Fleet& fleet, SnapshotPtr snapshot, audit::AuditWriter& audit,
         upstream::Deps upstream_deps, const upstream::Settings& upstream_settings);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // A newer state: what it revokes ends here (streams, sessions, calls, upstream sessions) before it returns.
  void take(SnapshotPtr snapshot);
  // Ends MCP sessions that nobody used for settings.session_idle. Once a minute.
  void expire_sessions();
  void end_revoked();
  void end_session(const mcp::ClientSessionPtr& session);
  void end_calls();
  void end_calls_at(SteadyTime when);  // the first tick after it
  // What a tool server said unasked: to every session here that may hear it.
  void notice(const upstream::Notice& notice);
  bool may_hear(const Principal& principal, std::string_view scope, const ServerRecord& server);
  // subscriptions/listen, on the principal's home worker. Errors: limit.
  Task<Result<bool>> begin_listening(std::shared_ptr<Subscription> listener, std::vector<ServerPtr> servers);
  void end_listening(const std::shared_ptr<Subscription>& listener);
  // The upstream session of a principal; a modern server is told what to speak of. Errors: those of Upstreams::session.
  Task<Result<upstream::SessionPtr>> open_upstream(ServerPtr server, std::string principal);

  // Calls in flight that this worker's connections wait for: (session id, raw request id) -> where they run.
  struct InFlight {
    unsigned worker = 0;
    std::uint64_t key = 0;
  };
  using CallName = std::pair<std::string, std::string>;

  const unsigned index;
  const Executor executor;
  Fleet& fleet;
  SnapshotPtr snapshot;
  audit::AuditWriter& audit;
  EvidenceBatch evidence{executor, audit};
  telemetry::Shard& metrics;
  Identity identity;
  Decider decider;
  Authorization authorization{decider};
  Admission admission;
  mcp::SessionTable sessions;
  upstream::Upstreams upstreams;
  const std::string request_prefix;
  std::uint64_t next_request = 0;
  std::uint64_t flood_held_back = 0;
  unsigned flood_written = 0;
  SteadyTime flood_second{};
  TaskGroup tasks;
  std::map<CallName, InFlight> in_flight;
  // Calls that run here, by their key, and who has used upstream sessions here: what a revocation looks through.
  struct Running {
    std::unique_ptr<asio::cancellation_signal> signal;
    PrincipalPtr principal;
    std::shared_ptr<Forwarder> events;
  };
  // Calls that run here and wait for a client's retry (parked.h), by their key; after `until` nobody comes any more.
  struct Parked {
    std::shared_ptr<Questions> call;
    PrincipalPtr principal;
    SteadyTime until;
  };
  std::map<std::uint64_t, Parked> parked;
  std::map<std::uint64_t, Running> running;
  std::map<std::string, PrincipalPtr, std::less<>> served;
  std::uint64_t next_call = 1;
  // Unique, not secret: 48 random bits of this worker's life and a count.
  std::string new_request_id();
  // A flood of requests over the limit of their address must not fill the disk: ten records a second, then a count that
  // stands in the next one. 0: write nothing; else one more than were held back before.
  std::uint64_t admit_flood_record(SteadyTime now);
  // Ends one call that runs here, if it still does.
  void cancel(std::uint64_t key);
  // Calls of this worker's connections that have heard nothing yet; tick() starts their streams after settings.keep_alive.
  struct Silent {
    mcp::EventStream* stream = nullptr;
    SteadyTime since;
  };
  std::list<Silent> silent;
  class Waiting {
   public:
    Waiting(Worker& worker, mcp::EventStream* stream, SteadyTime since)
        : worker_(worker), entry_(worker.silent.insert(worker.silent.end(), Silent{stream, since})) {}
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { worker_.silent.erase(entry_); }

   private:
    Worker& worker_;
    std::list<Silent>::iterator entry_;
  };
  // Once a second.
  void tick();
  SteadyTime calls_end = SteadyTime::max();

  std::list<std::shared_ptr<Subscription>> listeners;

  // What each live upstream session lists: name -> digest; dropped on list_changed.
  struct Listed {
    std::weak_ptr<upstream::Session> session;
    std::map<std::string, std::string, std::less<>> digests;
  };
  std::map<const upstream::Session*, Listed> listed;
  std::map<std::string, bool, std::less<>> stateless;  // servers whose HTTP sessions need no home

 private:
  void end_parked(SteadyTime now);
  void tell(mcp::ClientSession& session, const ServerRecord& server, const upstream::Notice& said);
  static void tell(const Subscription& listener, const upstream::Notice& said);
  [[nodiscard]] upstream::Interest interest_of(std::string_view principal, std::string_view server) const;
  Task<void> watch_server(ServerPtr server, std::string principal);
};

// Is the credential behind `principal` still good?
bool still_valid(const Snapshot& snapshot, const Principal& principal, WallTime now);

}  // namespace sallyport
