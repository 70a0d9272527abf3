// One call on the worker where the upstream session lives: the session, the pin check, the call with its rounds of
// questions, and the handle by which it can be cancelled from any connection. Internal to the pipeline.
#pragma once

#include <memory>
#include <string>

#include "request/mcp/request_state.h"
#include "request/pipeline/flow.h"
#include "request/pipeline/questions.h"
#include "request/pipeline/worker.h"

namespace sallyport {

// Carries what a server says during a call to the client's stream. Used on the session's worker.
class Forwarder final : public upstream::CallEvents {
 public:
  // `log_level`: the weakest severity that the client wants (an index of mcp::kLogLevels); kNoLogs: none at all.
  static constexpr int kNoLogs = 8;
  Forwarder(std::shared_ptr<mcp::EventStream> stream, mcp::ClientSessionPtr session, std::string progress_token,
            std::shared_ptr<Questions> questions)
      : stream_(std::move(stream)), session_(std::move(session)), token_(std::move(progress_token)), questions_(std::move(questions)) {}
  void progress(std::string_view params) override;
  void notification(std::string_view method, std::string_view params) override;
  Task<upstream::Reply> on_request(std::string method, std::string params) override;

  // A client of 2026-07-28: logs only where the request asks for them.
  void want_logs(int level) { own_level_ = level; }
  // A policy hides parts of the answer: of what comes before it only numbers pass.
  void withhold_texts() noexcept { withheld_ = true; }
  // Once the session is open: which revisions meet.
  void of(Revision client, Revision server);
  // The stream of a retry takes the place of the first request's.
  void attach(std::shared_ptr<mcp::EventStream> stream) { stream_ = std::move(stream); }
  [[nodiscard]] const std::shared_ptr<Questions>& questions() const noexcept { return questions_; }

 private:
  std::shared_ptr<mcp::EventStream> stream_;
  mcp::ClientSessionPtr session_;
  std::string token_;
  std::shared_ptr<Questions> questions_;  // null: nobody can be asked (REST, CLI)
  std::optional<int> own_level_;
  bool withheld_ = false;
  mcp::Bridge bridge_{kLatestLegacy, kLatestLegacy};
};

struct UpstreamJob {
  std::uint64_t key = 0;
  PrincipalPtr principal;
  SnapshotPtr decided_by;
  ServerPtr server;
  ToolPtr tool;  // null: no tool, so no pin
  Revision client = kLatestLegacy;
  mcp::ClientSessionPtr session;      // a legacy client's
  std::chrono::milliseconds patience{0};  // a silence of the server that ends the call; time of people does not count
  bool redacted = false;  // a policy hides parts of what the server says
  upstream::Call call;
  std::shared_ptr<Forwarder> events;
  audit::AuditRecord record;  // of the request that began it: a parked call may end with nobody there
};

struct UpstreamAnswer {
  upstream::Reply reply;
  Revision revision = kLatestLegacy;  // the server's
  bool stateless = false;
  // Where reply is input_required: the life of the worker that keeps the call, and its key; empty where the server keeps
  // its own state.
  std::string parked_in;
  std::uint64_t parked = 0;
};

// The longest that a call goes on whose client can be asked; of others the server's own time-out holds.
inline constexpr std::chrono::hours kPeopleTake{1};
// The capabilities of the client (raw object), of which a server may use what it may forward; empty: nobody can be asked.
std::string_view declared_by(const Flow& flow);

// What the requestState of this request belongs to; views into `flow`.
mcp::StateBinding state_binding(const Flow& flow);

// resources/subscribe and unsubscribe: kept on the session's home worker, whatever the server's sessions need.
bool is_subscription(std::string_view method);

// On `worker`'s thread. Errors: those of Upstreams::session and Session::call, tool_changed, missing_capability (detail: the
// ClientCapabilities that were needed).
Task<Result<UpstreamAnswer>> run_job(Worker& worker, std::unique_ptr<UpstreamJob> job);

// The call itself. A legacy client answers the rounds of a modern server (input_required) by real requests on its stream,
// at most kRoundsMax of them; a modern client gets the round.
inline constexpr int kRoundsMax = 10;
Task<Result<upstream::Reply>> converse(Worker& worker, upstream::Session& session, UpstreamJob& job);

// The digests of what this session lists now; asks the server where they are not known.
Task<Result<DigestsPtr>> listed_by(Worker& worker, upstream::SessionPtr session, SteadyTime deadline, bool anew);

}  // namespace sallyport
