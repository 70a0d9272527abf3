// One call on the worker where the upstream session lives: the session, the pin check, the call, and the handle by which
// it can be cancelled from any connection. Internal to the pipeline.
#pragma once

#include <memory>
#include <string>

#include "request/pipeline/worker.h"

namespace sallyport {

// Carries what a server says during a call to the client's stream. Used on the session's worker.
class Forwarder final : public upstream::CallEvents {
 public:
  Forwarder(std::shared_ptr<mcp::EventStream> stream, mcp::ClientSessionPtr session, std::string progress_token)
      : stream_(std::move(stream)), session_(std::move(session)), token_(std::move(progress_token)) {}
  void progress(std::string_view params) override;
  void notification(std::string_view method, std::string_view params) override;

 private:
  std::shared_ptr<mcp::EventStream> stream_;
  mcp::ClientSessionPtr session_;
  std::string token_;
};

struct UpstreamJob {
  std::uint64_t key = 0;
  PrincipalPtr principal;
  SnapshotPtr decided_by;
  ServerPtr server;
  ToolPtr tool;  // null: no tool, so no pin
  upstream::Call call;
  std::shared_ptr<Forwarder> events;
};

struct UpstreamAnswer {
  upstream::Reply reply;
  bool stateless = false;
};

// On `worker`'s thread. Errors: those of Upstreams::session and Session::call, tool_changed.
Task<Result<UpstreamAnswer>> run_job(Worker& worker, std::unique_ptr<UpstreamJob> job);

// The digests of what this session lists now; asks the server where they are not known.
Task<Result<const std::map<std::string, std::string, std::less<>>*>> listed_by(Worker& worker,
                                                                               upstream::SessionPtr session,
                                                                               SteadyTime deadline, bool anew);

}  // namespace sallyport
