// One worker: its executor and everything that only its thread may touch. Other workers reach it by run_on or post (design,
// Threads). Built and owned by app; Fleet knows all of them.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/task.h"
#include "model/access_uses.h"
#include "request/admission/admission.h"
#include "request/audit/audit.h"
#include "request/authorization/authorization.h"
#include "request/authorization/opa_decider.h"
#include "request/identity/identity.h"
#include "request/mcp/session.h"
#include "request/pipeline/evidence_batch.h"
#include "request/pipeline/fleet.h"
#include "request/pipeline/worker_tables.h"
#include "request/upstream/upstreams.h"
#include "telemetry/metrics.h"

namespace sallyport {

struct Subscription;

// How long a client of 2025-11-25 waits for plain JSON: then it gets a stream, and with it the means to come back for the
// answer (docs/decisions/0007-eras.md).
inline constexpr std::chrono::milliseconds kPrimeAfter{50};

class Worker : public WorkerTables {
 public:
  Worker(unsigned index, Executor executor, Fleet& fleet, SnapshotPtr snapshot, audit::AuditWriter& audit,
         upstream::Deps upstream_deps, const upstream::Settings& upstream_settings);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // A newer state: what it revokes ends here (streams, sessions, calls, upstream sessions) before it returns.
  void take(SnapshotPtr snapshot);
  void take_tls(std::shared_ptr<const net::TlsServer> now);  // so does what its lists revoke
  // Is the credential behind `principal` still good, by the snapshot, the lists and the clock of now?
  [[nodiscard]] bool still_valid(const Principal& principal) const;
  // Ends MCP sessions that nobody used for settings.session_idle. Once a minute.
  void expire_sessions();
  void end_revoked();
  void end_session(const mcp::ClientSessionPtr& session);
  void end_calls();
  // A drain, at its beginning and each tick: lets the streams go on which no call will answer.
  void close_quiet_streams();
  void end_calls_at(SteadyTime when);  // the first tick after it
  // What a tool server said unasked: to every session here that may hear it.
  void notice(const upstream::Notice& notice);
  // From now on its logs outside of calls reach nobody of this principal.
  void withhold_logs(const ServerRecord& server, const std::string& principal);
  // subscriptions/listen, on the principal's home worker. Errors: limit. may_listen: it is not full yet.
  Task<Result<bool>> may_listen(std::string principal);
  Task<Result<bool>> begin_listening(std::shared_ptr<Subscription> listener, std::vector<ServerPtr> servers);
  void end_listening(const std::shared_ptr<Subscription>& listener);
  // The client of a session here said which logs it wants: so its open upstream sessions hear it.
  void log_level_changed(const mcp::ClientSession& session);
  // The upstream session of a principal; a modern server is told what to speak of. Errors: those of Upstreams::session.
  Task<Result<upstream::SessionPtr>> open_upstream(ServerPtr server, std::string principal, SteadyTime deadline);

  const unsigned index;
  const Executor executor;
  Fleet& fleet;
  SnapshotPtr snapshot;
  std::shared_ptr<const net::TlsServer> tls;  // what new connections meet; null: plain HTTP
  audit::AuditWriter& audit;
  EvidenceBatch evidence{executor, audit};
  telemetry::Shard& metrics;
  Identity identity;
  void ask_opa(net::EgressClient& egress, OpaSettings settings);  // it has the policies from here on; before any request
  std::unique_ptr<OpaBackEnd> opa;  // null: the policies of the snapshot, evaluated here
  Decider decider{decider_settings()};
  Authorization authorization{decider};
  Admission admission;
  mcp::SessionTable sessions;
  upstream::Upstreams upstreams;
  const std::string request_prefix;
  AccessUses access_uses;  // taken every few seconds
  std::uint64_t next_request = 0, flood_held_back = 0;
  unsigned flood_written = 0;
  SteadyTime flood_second{};
  TaskGroup tasks;
  std::uint64_t next_call = 1;
  // Unique, not secret: 48 random bits of this worker's life and a count.
  std::string new_request_id();
  // A flood of requests over the limit of their address must not fill the disk: ten records a second, then a count that
  // stands in the next one. 0: write nothing; else one more than were held back before.
  std::uint64_t admit_flood_record(SteadyTime now);
  void cancel(std::uint64_t key);  // ends one call that runs here, if it still does
  void tick();  // once a second
  // A call that can be resumed has begun: its stream is opened after kPrimeAfter, should there be no answer by then.
  void prime_at(SteadyTime when);
  SteadyTime calls_end = SteadyTime::max();
  std::list<std::shared_ptr<Subscription>> listeners;

 private:
  [[nodiscard]] DeciderSettings decider_settings() const;
  void tell_of_shadow();
  void pass_on(const upstream::Notice& said, Decider& by, bool rehearsal);
  Task<void> pass_on_prepared(std::array<std::string, 4> said);  // owns what a Notice only looks at
  void prime();
  void end_parked(SteadyTime now);
  void end_expired_listeners();
  // What modern servers are to speak of to this principal, after one of its sessions or subscriptions ended.
  void watch_anew(std::string_view principal, std::string_view scope);
  void tell(mcp::ClientSession& session, const ServerRecord& server, const upstream::Notice& said);
  static void tell(const Subscription& listener, const upstream::Notice& said);
  [[nodiscard]] upstream::Interest interest_of(std::string_view principal, const ServerRecord& server) const;
  Task<void> watch_server(ServerPtr server, std::string principal, std::shared_ptr<void> last);

  SteadyTimer prime_timer_{executor};
  bool priming_ = false;
};

}  // namespace sallyport
