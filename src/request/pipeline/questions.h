// What a tool server asks the client behind a call (elicitation, sampling, roots), and how the question reaches a client of
// each era: a request on a legacy client's stream (here), or a call that is parked until a client of 2026-07-28 retries
// (parked.h). Made for one call; used on the worker that runs it. Internal to the pipeline.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "request/mcp/dialect.h"
#include "request/mcp/session.h"
#include "request/pipeline/worker.h"
#include "request/upstream/call.h"

namespace sallyport {

class Questions {
 public:
  // `call`: a name of the call that no other has.
  Questions(Revision client, std::string capabilities, ServerPtr server, std::string call)
      : bridge_{client, client},
        capabilities_(std::move(capabilities)),
        server_(std::move(server)),
        call_(std::move(call)) {}
  Questions(const Questions&) = delete;
  Questions& operator=(const Questions&) = delete;
  virtual ~Questions() = default;

  // Once the session is open: the server's revision.
  void of(Revision server) noexcept { bridge_.server = server; }
  // The client's answer, or a JSON-RPC error for the server: a question that the client did not declare to understand is
  // refused here, and noted in lacking(). What passes is put as the client's revision has it (mcp/dialect.h).
  Task<upstream::Reply> ask(std::string method, std::string params);

  // Asked when an answer has come, before the server hears it: false refuses the question in its place.
  void only_while(std::function<bool()> allowed) { allowed_ = std::move(allowed); }

  // How many wait for an answer now: a person may be thinking, so the call's own time stands still.
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  // The ClientCapabilities (raw) that a refused question would have needed; empty: none was refused.
  [[nodiscard]] const std::string& lacking() const noexcept { return lacking_; }
  [[nodiscard]] const std::string& capabilities() const noexcept { return capabilities_; }
  [[nodiscard]] const mcp::Bridge& bridge() const noexcept { return bridge_; }

 private:
  virtual Task<upstream::Reply> put(std::string method, std::string params) = 0;
  // Before the server hears that the client has not declared what it asks for.
  virtual Task<void> before_refusal() { co_return; }

  mcp::Bridge bridge_;
  std::string capabilities_;  // what is forwarded of what the client declared
  ServerPtr server_;
  std::string call_;
  std::string lacking_;
  std::function<bool()> allowed_;
  unsigned asked_ = 0;
  std::size_t waiting_ = 0;
};

// A client with a session: a real request on the stream of its call, answered by a POST.
class SessionQuestions final : public Questions {
 public:
  SessionQuestions(Worker& here, mcp::ClientSessionPtr session, std::shared_ptr<mcp::EventStream> stream,
                   ServerPtr server, const std::vector<std::string>& forwards, std::string call);

 private:
  Task<upstream::Reply> put(std::string method, std::string params) override;

  Worker& here_;
  mcp::ClientSessionPtr session_;
  std::shared_ptr<mcp::EventStream> stream_;
};

// The raw JSON-RPC error object that says no to a server.
upstream::Reply refuse_question(int code, std::string_view message);

}  // namespace sallyport
