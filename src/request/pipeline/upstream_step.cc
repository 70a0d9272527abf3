#include "request/pipeline/upstream_step.h"

#include "engines/pin/definition.h"
#include "json/slice.h"
#include "json/writer.h"
#include "request/mcp/message.h"
#include "request/mcp/names.h"
#include "request/pipeline/pipeline.h"
#include "request/response_guard/response_guard.h"
#include "request/upstream/listing.h"

namespace sallyport {
namespace {

using mcp::Method;
using Digests = std::map<std::string, std::string, std::less<>>;

constexpr std::chrono::milliseconds kSettle{500};  // servers that register tools after initialized

Task<Result<void>> check_pin(Worker& w, const upstream::SessionPtr& session, const ToolRecord& tool, SteadyTime deadline) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    SP_CO_TRY(const Digests* digests, co_await listed_by(w, session, deadline, attempt > 0));
    const auto found = digests->find(tool.name);
    if (found != digests->end() && found->second == tool.digest) co_return Result<void>{};
    if (attempt == 1) {
      SteadyTimer settle(w.executor, kSettle);
      co_await settle.async_wait(use_task_ec);
    }
  }
  w.fleet.log.warning("tool held back: its definition is not the approved one", {{"server", tool.server}, {"tool", tool.name}});
  co_return fail(Code::tool_changed, tool.server + "/" + tool.name + ": run `sallyport server probe " + tool.server + "`");
}

// This worker may know more than the one that decided: what is revoked or removed already is not begun any more.
Result<void> check_still_good(const Worker& w, const UpstreamJob& job) {
  if (job.decided_by == w.snapshot) return {};
  if (!still_valid(*w.snapshot, *job.principal, w.fleet.clock.wall())) return fail(Code::cancelled, "the principal was revoked");
  const auto server = w.snapshot->catalogue->servers.find(job.server->name);
  if (server == w.snapshot->catalogue->servers.end() || !server->second->enabled) return fail(Code::cancelled, "the server was removed");
  return {};
}

Task<Result<UpstreamAnswer>> run_inner(Worker& w, std::unique_ptr<UpstreamJob> job) {
  SP_CO_CHECK(check_still_good(w, *job));
  SP_CO_TRY(const upstream::SessionPtr session, co_await w.upstreams.session(job->server, job->principal->id));
  if (job->tool) SP_CO_CHECK(co_await check_pin(w, session, *job->tool, job->call.deadline));
  UpstreamAnswer answer;
  answer.stateless = session->stateless();
  SP_CO_TRY(answer.reply, co_await session->call(std::move(job->call), job->events.get()));
  co_return answer;
}

}  // namespace

Task<Result<const Digests*>> listed_by(Worker& w, upstream::SessionPtr session, SteadyTime deadline, bool anew) {
  const auto known = w.listed.find(session.get());
  if (!anew && known != w.listed.end() && known->second.session.lock() == session) co_return &known->second.digests;
  SP_CO_TRY(const auto items, co_await upstream::list_all(*session, upstream::ListKind::tools, deadline));
  Worker::Listed fresh{session, {}};
  for (const auto& item : items) {
    if (auto definition = pin::read_definition(item.raw)) fresh.digests[definition->name] = definition->digest;
  }
  auto& entry = w.listed[session.get()];
  entry = std::move(fresh);
  co_return &entry.digests;
}

Task<Result<UpstreamAnswer>> run_job(Worker& w, std::unique_ptr<UpstreamJob> job) {
  const std::uint64_t key = job->key;
  w.served[job->principal->id] = job->principal;
  auto& signal = w.running.emplace(key, Worker::Running{std::make_unique<asio::cancellation_signal>(), job->principal})
                     .first->second.signal;
  auto [error, answer] = co_await asio::co_spawn(w.executor, run_inner(w, std::move(job)),
                                                 asio::bind_cancellation_slot(signal->slot(), use_task_ec));
  w.running.erase(key);
  if (error) {
    try {
      std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
      if (e.code() == asio::error::operation_aborted) co_return fail(Code::cancelled, "cancelled");
      co_return fail(Code::internal, e.what());
    } catch (const std::exception& e) {
      co_return fail(Code::internal, e.what());
    }
  }
  co_return std::move(answer);
}

void Forwarder::progress(std::string_view params) {
  if (token_.empty() || !stream_) return;
  std::string with_token = R"({"progressToken":)" + token_;
  if (params.size() > 2) with_token.append(",").append(params.substr(1));
  else with_token += '}';
  stream_->push(mcp::notification_envelope("notifications/progress", with_token));
}

void Forwarder::notification(std::string_view method, std::string_view params) {
  if (!stream_) return;
  if (method == "notifications/message" && session_) {
    const auto level = json::member(params, "level");
    const int rank = level && json::is_string(*level) ? mcp::log_level_index(level->substr(1, level->size() - 2)) : 0;
    if (rank < session_->log_level.load()) return;
  }
  stream_->push(mcp::notification_envelope(method, params));
}

Task<Result<void>> Pipeline::call_upstream(Flow& f, std::string params) {
  if (!f.server) co_return fail(Code::internal, "a call that no decision was made for");  // fail closed
  const SteadyTime begun = fleet_.clock.steady();
  auto job = std::make_unique<UpstreamJob>();  // kept out of the frames: small ones are recycled, large ones are not
  job->key = (std::uint64_t{w_.index} << 48U) | w_.next_call++;
  job->principal = f.principal;
  job->decided_by = f.snapshot;
  job->server = f.server;
  job->tool = f.tool;
  job->call.method = f.message ? f.message->method_name : "tools/call";
  job->call.params = std::move(params);
  job->call.deadline = begun + std::min(f.timeout.value_or(f.server->call_timeout), f.server->call_timeout);
  if (f.message) {
    open_events(f);
    job->call.wants_progress = !f.message->progress_token.empty();
    job->events = std::make_shared<Forwarder>(f.events, f.session, std::string(f.message->progress_token));
  }
  const auto known = w_.stateless.find(f.server->name);
  const bool here = known != w_.stateless.end() && known->second;
  Worker& there = here ? w_ : *fleet_.workers[fleet_.home_of(f.principal->id)];
  std::optional<Worker::CallName> name;
  if (f.session) {
    name.emplace(f.session->id, f.rpc_id);
    if (!w_.in_flight.emplace(*name, Worker::InFlight{there.index, job->key}).second) {
      f.say = "A request with this id is still running";
      co_return fail(Code::invalid_request, "duplicate id in flight");
    }
  }
  const Worker::Waiting waiting(w_, f.events.get(), begun);  // a long silence is bridged by comments
  auto answer = there.index == w_.index ? co_await run_job(there, std::move(job))
                                        : co_await run_on<UpstreamAnswer>(there.executor, run_job(there, std::move(job)));
  if (name) w_.in_flight.erase(*name);
  f.upstream_took = fleet_.clock.steady() - begun;
  if (f.timing) f.timing->skip();  // the wait is the server's, not ours
  auto& counters = w_.metrics.upstream(f.server->name);
  counters.calls.add();
  if (!answer) {
    counters.errors.add();
    co_return fail(std::move(answer).error());
  }
  if (known == w_.stateless.end() || known->second != answer->stateless) w_.stateless[f.server->name] = answer->stateless;
  f.result = std::move(answer->reply.body);
  f.result_is_error = answer->reply.is_error;
  co_return Result<void>{};
}

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
    case Method::ping: f.result = "{}"; co_return Result<void>{};
    case Method::set_level: co_return set_log_level(f);
    case Method::tools_list: co_return co_await list_tools(f);
    case Method::resources_list: co_return co_await list_items(f, upstream::ListKind::resources, "resources");
    case Method::resource_templates_list:
      co_return co_await list_items(f, upstream::ListKind::resource_templates, "resourceTemplates");
    case Method::prompts_list: co_return co_await list_items(f, upstream::ListKind::prompts, "prompts");
    default: co_return co_await call_upstream(f, mcp::upstream_params(*f.message, f.target));
  }
}

Result<void> Pipeline::guard_response(Flow& f) {
  if (!f.touches_upstream) return {};
  f.enter(Stage::response_guard);
  f.record.result_bytes = f.result.size();
  f.record.result_digest = fleet_.redactor.digest(f.result);
  if (f.result_is_error) return {};
  SP_CHECK(f.tool ? guard_tool_result(*f.tool, f.result) : guard_result(f.result));
  if (f.scope.empty() && f.message) f.result = mcp::expose_result_uris(*f.server, f.result);
  return {};
}

}  // namespace sallyport
