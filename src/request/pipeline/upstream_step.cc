// The step that touches a tool server, or answers for ourselves: what is sent, how the client of each era is asked, and what
// comes back.
#include "request/pipeline/upstream_step.h"

#include "json/slice.h"
#include "json/writer.h"
#include "request/mcp/capabilities.h"
#include "request/mcp/dialect.h"
#include "request/mcp/message.h"
#include "request/mcp/names.h"
#include "request/mcp/request_state.h"
#include "request/pipeline/labels.h"
#include "request/pipeline/parked.h"
#include "request/pipeline/negotiate.h"
#include "request/pipeline/pipeline.h"
#include "request/response_guard/redact.h"
#include "request/response_guard/response_guard.h"

namespace sallyport {
namespace {

using mcp::Method;

// The weakest severity that this request's client wants to hear.
int log_level_of(const Flow& f) {
  if (f.session) return f.session->log_level.load();
  const int level = mcp::log_level_index(f.message->envelope.log_level);
  return level < 0 ? Forwarder::kNoLogs : level;
}

// What the server may ask the client behind this call. Where a policy hides parts of what it says: nothing, for a question
// is free text.
std::vector<std::string> forwards_of(const Flow& f) {
  return f.redacts() ? std::vector<std::string>() : f.server->forwards;
}

// A modern server's inputRequests for a modern client: each as policy and the client's declaration allow it.
Result<std::string> shown_requests(const Flow& f, std::string_view requests) {
  if (requests.empty()) return std::string();
  const auto declared =
      mcp::forwarded_capabilities(f.message->envelope.client_capabilities, forwards_of(f), f.revision);
  std::string out;
  std::optional<Error> fault;
  json::for_each_member(requests, [&](std::string_view key, std::string_view request) {
    const auto method = json::decode_string(json::member(request, "method").value_or(""));
    if (!method) fault = method.error();
    if (fault) return;
    const auto params = json::member(request, "params").value_or("");
    auto shaped = mcp::shape_request({kModern, kModern}, {*method, params, declared, {}, f.server->name});
    if (!shaped) {
      fault = Error{Code::upstream_protocol, *method + ": " + shaped.error().detail};
      return;
    }
    out.append(out.empty() ? "{" : ",").append(key.data() - 1, key.size() + 2).append(":");
    out += mcp::with_member(request, "params", shaped->empty() ? "{}" : *shaped);
  });
  if (fault) return fail(std::move(*fault));
  return out.empty() ? "{}" : out + "}";
}

}  // namespace

std::string_view declared_by(const Flow& f) {
  if (f.session) return f.session->client_capabilities;
  return f.message ? f.message->envelope.client_capabilities : std::string_view();
}

mcp::StateBinding state_binding(const Flow& f) {
  return {f.principal->id, f.scope, f.message->method_name, f.server->name, f.target, f.arguments};
}

// What the server may ask, and whom; null where nobody can answer.
std::shared_ptr<Questions> Pipeline::questions_of(const Flow& f, Worker& there) {
  if (!f.message) return nullptr;
  if (f.session)
    return std::make_shared<SessionQuestions>(there, f.session, f.events, f.server, forwards_of(f),
                                              f.record.request_id);
  auto declared = mcp::forwarded_capabilities(f.message->envelope.client_capabilities, forwards_of(f), f.revision);
  return std::make_shared<ParkedCall>(there.executor, std::move(declared), f.server, f.record.request_id);
}

std::unique_ptr<UpstreamJob> Pipeline::job_of(Flow& f, Worker& there, std::string params, SteadyTime begun) {
  auto job = std::make_unique<UpstreamJob>();  // kept out of the frames: small ones are recycled, large ones are not
  job->key = (std::uint64_t{w_.index} << 48U) | w_.next_call++;
  job->principal = f.principal;
  job->decided_by = f.snapshot;
  job->server = f.server;
  job->tool = f.tool;
  job->client = f.revision;
  job->session = f.session;
  job->redacted = f.redacts();
  job->call.method = f.message ? f.message->method_name : "tools/call";
  job->call.params = std::move(params);
  const auto time = std::min(f.timeout.value_or(f.server->call_timeout), f.server->call_timeout);
  job->call.deadline = begun + time;
  if (f.tool) job->call.header_params = f.tool->header_params;
  if (!f.message) return job;
  open_events(f);
  auto questions = questions_of(f, there);
  job->call.client_capabilities = questions->capabilities();
  if (questions->capabilities().size() > 2) {  // somebody may have to think: the call's own limit holds, not the server's
    job->patience = time;
    job->call.deadline = begun + kPeopleTake;
    job->call.asks_people = true;
    questions->only_while(still_allowed(f, there));
  }
  const int level = log_level_of(f);
  if (level >= 0 && level < Forwarder::kNoLogs) job->call.log_level = mcp::kLogLevels[static_cast<std::size_t>(level)];
  job->call.wants_progress = !f.message->progress_token.empty();
  job->events = std::make_shared<Forwarder>(f.events, f.session, std::string(f.message->progress_token), std::move(questions));
  if (!f.session) job->events->want_logs(level);
  if (f.redacts()) job->events->withhold_texts();
  return job;
}

// A client of 2026-07-28: a new call, or a retry of one that waits here or keeps its state at the server.
Task<Result<UpstreamAnswer>> Pipeline::call_without_session(Flow& f, Worker& there, std::unique_ptr<UpstreamJob> job) {
  const auto& message = *f.message;
  auto where = std::make_shared<std::pair<Worker*, std::uint64_t>>(&there, job->key);
  f.exchange->watch_gone([where] {  // MCP 2026-07-28: closing the stream is the cancel
    asio::post(where->first->executor, [where] { where->first->cancel(where->second); });
  });
  mcp::RequestState state;
  if (!message.request_state.empty()) {
    SP_CO_TRY(state, mcp::open_state(fleet_.keys.key(crypto::Purpose::request_state), message.request_state,
                                     state_binding(f), f.now));
  }
  if (!state.life.empty()) {
    Worker* holder = nullptr;
    for (Worker* worker : fleet_.workers) {
      if (worker->request_prefix == state.life) holder = worker;
    }
    if (holder == nullptr) co_return fail(Code::invalid_params, "requestState: the gateway was restarted");
    *where = {holder, state.call};
    auto resumed = resume_parked(*holder, state.call, f.principal, std::string(message.input_responses), f.events);
    co_return holder == &w_ ? co_await std::move(resumed)
                            : co_await run_on<UpstreamAnswer>(holder->executor, std::move(resumed));
  }
  const auto& may =
      job->call.client_capabilities;  // what nobody may ask for is no answer, whether it was asked for or not
  job->record = f.record;
  job->call.input_responses = mcp::allowed_responses(message.input_responses, may);
  job->call.request_state = state.upstream;
  const auto call = std::static_pointer_cast<ParkedCall>(job->events->questions());
  auto started = start_parked(there, std::move(job), call);
  co_return there.index == w_.index ? co_await std::move(started)
                                    : co_await run_on<UpstreamAnswer>(there.executor, std::move(started));
}

// The round as this client sees it: each request checked and labelled with who asks, our own state in the server's place.
Result<std::string> Pipeline::sealed_round(const Flow& f, const UpstreamAnswer& answer) {
  mcp::RequestState state{answer.parked_in, answer.parked, {}, f.approval, f.approval_round};
  std::string requests(json::member(answer.reply.body, "inputRequests").value_or(""));
  if (state.life.empty()) {  // those of a parked call were looked at one by one
    SP_TRY(requests, shown_requests(f, requests));
    state.upstream = json::member(answer.reply.body, "requestState").value_or("");
    if (state.upstream.empty() && state.approval.empty()) return mcp::input_required_result(requests, {});
  }
  SP_TRY(const std::string sealed, mcp::seal_state(fleet_.keys.key(crypto::Purpose::request_state), state,
                                                   state_binding(f), f.now + kStateLives, fleet_.random));
  return mcp::input_required_result(requests, sealed);
}

// What came back, into the flow.
Result<void> Pipeline::take_answer(Flow& f, Result<UpstreamAnswer> answer) {
  if (f.timing) f.timing->skip();  // the wait is the server's, not ours
  auto& counters = w_.metrics.upstream(f.server->name);
  counters.calls.add();
  if (!answer) {
    counters.errors.add();
    if (answer.error().code == Code::missing_capability && is_modern(f.revision)) {
      f.data = R"({"requiredCapabilities":)" + answer.error().detail + "}";
    }
    return fail(std::move(answer).error());
  }
  const auto known = w_.stateless.find(f.server->name);
  if (known == w_.stateless.end() || known->second != answer->stateless) w_.stateless[f.server->name] = answer->stateless;
  f.server_revision = answer->revision;
  f.input_required = answer->reply.input_required;
  if (f.input_required) {
    SP_TRY(f.result, sealed_round(f, *answer));
    return {};
  }
  f.result = std::move(answer->reply.body);
  f.result_is_error = answer->reply.is_error;
  const bool may_lack = f.result_is_error && !f.redacts();  // what it says is lacking is the server's own text
  auto lacking = may_lack ? mcp::lacking_capabilities({f.revision, f.server_revision}, f.result) : std::nullopt;
  if (!lacking) return {};
  f.data = R"({"requiredCapabilities":)" + *lacking + "}";
  return fail(Code::missing_capability, std::move(*lacking));
}

namespace {

// For the access review: under the name that it was called by as well.
void note_access(Worker& w, const Flow& f) {
  for (const ToolPtr& tool : {f.tool, f.called_as}) {
    if (tool) w.access_uses.note(f.principal->id, tool->server, tool->name, f.now);
  }
}

}  // namespace

Task<Result<void>> Pipeline::call_upstream(Flow& f, std::string params) {
  if (!f.server) co_return fail(Code::internal, "a call that no decision was made for");  // fail closed
  const SteadyTime begun = fleet_.clock.steady();
  const auto known = w_.stateless.find(f.server->name);
  const bool here =
      known != w_.stateless.end() && known->second && !(f.message && is_subscription(f.message->method_name));
  Worker& there = here ? w_ : *fleet_.workers[fleet_.home_of(f.principal->id)];
  auto job = job_of(f, there, std::move(params), begun);
  std::optional<Worker::CallName> name;
  if (f.session) {
    name.emplace(f.session->id, f.rpc_id);
    if (!w_.in_flight.emplace(*name, Worker::InFlight{there.index, job->key}).second) {
      f.say = "A request with this id is still running";
      co_return fail(Code::invalid_request, "duplicate id in flight");
    }
  }
  const bool again = f.message && !f.message->request_state.empty();  // a retry with its state is the same call
  f.begun = job->call.begun =
      std::make_shared<upstream::Begun>(again ? nullptr : f.tool, again ? nullptr : f.called_as, f.now);
  const bool primed = f.session && f.session->revision >= Revision::r2025_11_25;
  const Worker::Waiting waiting(w_, f.events.get(), begun, primed);  // a long silence is bridged by comments
  if (primed) w_.prime_at(begun + kPrimeAfter);
  auto answer = is_modern(f.revision)     ? co_await call_without_session(f, there, std::move(job))
                : there.index == w_.index ? co_await run_job(there, std::move(job))
                                          : co_await run_on<UpstreamAnswer>(there.executor, run_job(there, std::move(job)));
  if (name) w_.in_flight.erase(*name);
  f.upstream_took = fleet_.clock.steady() - begun;
  if (!again && f.begun->marked()) note_access(w_, f);
  co_return take_answer(f, std::move(answer));
}

namespace {

// What was decided, and nothing else of the caller's params but `_meta`.
std::string with_meta(std::string_view arguments, std::string_view meta) {
  if (arguments.empty()) return {};  // no decision was made: call_upstream refuses
  return std::string(arguments.substr(0, arguments.size() - 1)).append(meta).append("}");
}

}  // namespace

Task<Result<void>> Pipeline::upstream(Flow& f) {
  f.enter(Stage::upstream);
  if (f.message && f.message->kind != mcp::Kind::request) {
    take_notification(f);
    f.response = net::Response{.status = 202};
    co_return Result<void>{};
  }
  if (!f.message || f.message->method == Method::tools_call) {
    std::string params = R"({"name":)";
    json::append_string(params, f.target);
    params.append(R"(,"arguments":)").append(f.arguments).append((f.message ? mcp::passed_meta(*f.message) : std::string())).append("}");
    co_return co_await call_upstream(f, std::move(params));
  }
  switch (f.message->method) {
    case Method::initialize: co_return co_await open_session(f);
    case Method::discover: f.result = mcp::discover_result(kOffered, {}); co_return Result<void>{};
    case Method::listen: co_return co_await subscribe(f);
    case Method::ping: f.result = "{}"; co_return Result<void>{};
    case Method::set_level: co_return set_log_level(f);
    case Method::tools_list: co_return co_await list_tools(f);
    case Method::resources_list: co_return co_await list_items(f, upstream::ListKind::resources, "resources");
    case Method::resource_templates_list:
      co_return co_await list_items(f, upstream::ListKind::resource_templates, "resourceTemplates");
    case Method::prompts_list: co_return co_await list_items(f, upstream::ListKind::prompts, "prompts");
    default: co_return co_await call_upstream(f, with_meta(f.arguments, mcp::passed_meta(*f.message)));
  }
}

namespace {

// Checked, without what a policy hides, and as the client's revision has it.
Result<void> shape_response(Flow& f) {
  if (f.result_is_error) {
    if (f.redacts()) f.result = redact_error(f.result);
    if (f.message) f.result = mcp::shape_error({f.revision, f.server_revision}, f.message->method, f.result, f.message->uri);
    return {};
  }
  if (f.input_required) return {};
  SP_CHECK(f.tool ? guard_tool_result(*f.tool, f.result) : guard_result(f.result));
  if (f.redacts()) f.result = redact_result(f.result, f.obligations->redact);
  if (f.scope.empty() && f.message) f.result = mcp::expose_result_uris(*f.server, f.result);
  if (f.revision == f.server_revision && !is_modern(f.revision)) return {};
  SP_TRY(f.result, mcp::shape_result({f.revision, f.server_revision}, f.message ? f.message->method : Method::tools_call, f.result));
  return {};
}

}  // namespace

Result<void> Pipeline::guard_response(Flow& f) {
  if (!f.touches_upstream) return {};
  f.enter(Stage::response_guard);
  f.record.result_bytes = f.result.size();
  f.record.result_digest = fleet_.redactor.digest(f.result);
  auto shaped = shape_response(f);
  if (shaped && f.obligations && f.obligations->log_full) f.record.response = fleet_.redactor.whole(f.result);
  return shaped;
}

}  // namespace sallyport
