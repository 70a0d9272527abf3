// What one request carries from stage to stage. Made by the door, finished by finish(); one worker's thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/decision.h"
#include "model/rest.h"
#include "model/snapshot.h"
#include "request/admission/admission.h"
#include "request/audit/audit.h"
#include "request/authorization/opa_decider.h"
#include "request/mcp/message.h"
#include "request/mcp/session.h"
#include "telemetry/metrics.h"

namespace sallyport {

namespace upstream {
class Begun;
}

struct Flow {
  explicit Flow(SnapshotPtr held) : snapshot(std::move(held)) {}

  // Made for every request and larger than malloc's thread cache takes: its memory is kept by the thread for the next.
  static void* operator new(std::size_t bytes);
  static void operator delete(void* flow, std::size_t bytes) noexcept;

  // Where the request is; what passed since the last stage began is that stage's time (one request in 16 is timed).
  void enter(Stage next) {
    if (timing) timing->lap(stage);
    stage = next;
  }

  // Whose request it is, into the evidence.
  void name_principal() {
    record.principal = principal->id;
    record.auth_type = principal->auth_type;
    record.credential_id = principal->credential_id;
    if (principal->kind == PrincipalKind::user) record.user_id = principal->id.substr(5);
  }

  SnapshotPtr snapshot;  // one state from the end of the body on
  SteadyTime started{};
  WallTime now{};
  Stage stage = Stage::http;  // where it is, and so where it ended
  std::optional<telemetry::StageClock> timing;
  Channel channel = Channel::mcp;
  telemetry::Route route = telemetry::Route::unknown;

  PrincipalPtr principal;
  std::string address;
  mcp::Door door = mcp::Door::streamable;
  std::string scope;  // of the URL (model/toolset.h)
  std::string limit_class = "mcp";

  Revision revision = kLatestLegacy;  // the client's
  std::optional<mcp::Message> message;
  std::optional<json::Document> batch;  // an array, in place of `message`
  std::string rpc_id;  // raw; known as soon as it could be read
  mcp::ClientSessionPtr session;
  std::shared_ptr<mcp::EventStream> events;  // where progress and logs of the call go; may be null

  std::shared_ptr<const Obligations> obligations;  // what the decision is bound to; null: nothing
  [[nodiscard]] bool redacts() const noexcept { return obligations && !obligations->redact.empty(); }

  ServerPtr server;
  ToolPtr tool;
  ToolPtr called_as;  // a registered tool that is bound to `tool`; its schema holds as well
  std::string target;      // tool, prompt or URI as the upstream calls it
  // Minified object: of tools/call its arguments, else mcp::decided_params: what was decided, approved and is sent.
  std::string arguments;
  std::optional<json::Document> arguments_document;  // REST, CLI: the reader's own
  std::optional<std::chrono::milliseconds> timeout;

  net::ServerExchange* exchange = nullptr;  // of an MCP POST: where events may be streamed
  net::Headers headers;                     // of its answer

  std::string approval;  // that let the call pass; empty: none was asked for
  std::uint32_t approval_round = 0;  // of its rounds
  std::shared_ptr<const upstream::Begun> begun;  // null: nothing was to be handed to a tool server
  bool intent_written = false;
  bool touches_upstream = false;
  bool handed_on = false;  // a call that goes on without its connection is another Flow now, with its own evidence
  std::string whole_answer;  // of a batch: the last event, as it goes out
  std::string result;           // raw JSON of the answer
  Revision server_revision = kLatestLegacy;  // of the tool server that gave it
  bool input_required = false;  // `result` asks the client for something (2026-07-28)
  bool result_is_error = false;  // `result` is a JSON-RPC error object of the upstream
  std::string say;              // public sentence of a refusal; empty: the Code's own
  std::string data;             // raw JSON beside it
  std::optional<rate::Verdict> verdict;
  std::optional<net::Response> response;  // REST: the whole answer; MCP: an answer that is no JSON-RPC message
  std::chrono::nanoseconds upstream_took{0};
  std::unique_ptr<OpaDecider> opa;  // where an OPA server has the policies: what it said of this request
  audit::AuditRecord record;
};

}  // namespace sallyport
