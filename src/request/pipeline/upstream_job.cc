#include "request/pipeline/upstream_step.h"

#include "json/slice.h"
#include "json/writer.h"
#include "model/registration.h"
#include "request/mcp/dialect.h"
#include "request/mcp/message.h"
#include "request/mcp/names.h"
#include "request/pipeline/subscription.h"
#include "request/response_guard/redact.h"
#include "request/upstream/tool_endpoint.h"

namespace sallyport {
namespace {

constexpr std::chrono::milliseconds kSettle{500};  // servers that register tools after initialized

Task<Result<void>> check_pin(Worker& w, const upstream::SessionPtr& session, const ToolRecord& tool, SteadyTime deadline) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    SP_CO_TRY(const DigestsPtr digests, co_await listed_by(w, session, deadline, attempt > 0));
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
  const bool by_certificate = job.principal->certificate != nullptr;  // a revocation list comes without a snapshot
  if (job.decided_by == w.snapshot && !by_certificate) return {};
  if (!w.still_valid(*job.principal)) return fail(Code::cancelled, "the principal was revoked");
  const ServerPtr server = server_of(*w.snapshot->catalogue, job.server->name);
  if (!server || !server->enabled) return fail(Code::cancelled, "the server was removed");
  return {};
}

// What a session subscribed to is kept with it: it hears of nothing else, and a modern server is told by subscriptions/listen.
// Errors: invalid_params, limit.
Result<void> note_subscription(const UpstreamJob& job) {
  if (!is_subscription(job.call.method)) return {};
  const auto raw = json::member(job.call.params, "uri");
  SP_TRY(std::string uri, raw ? json::decode_string(*raw) : fail(Code::invalid_params, "uri"));
  auto& uris = job.session->watched[job.server->name];
  if (job.call.method == "resources/unsubscribe") {
    uris.erase(uri);
    return {};
  }
  if (uri.size() > kSubscribedUriBytesMax) return fail(Code::invalid_params, "uri: 4096 bytes at most");
  if (uris.size() >= kSubscribedUrisMax && !uris.contains(uri))
    return fail(Code::limit, "256 resources of a server at most");
  uris.insert(std::move(uri));
  return {};
}

bool is_failure(const upstream::Reply& reply) {
  return reply.is_error || json::member(reply.body, "isError") == "true";
}

// A registered tool that stands for an HTTP endpoint: no session, nothing to pin but the registration itself.
Task<Result<UpstreamAnswer>> ask_endpoint(Worker& w, const UpstreamJob& job) {
  if (!job.tool->registration->endpoint)
    co_return fail(Code::internal, "a registered tool without an endpoint");  // fail closed
  std::string arguments(json::member(job.call.params, "arguments").value_or("{}"));
  const auto deadline =
      std::min(job.call.deadline, w.fleet.clock.steady() + job.tool->registration->endpoint->call_timeout);
  UpstreamAnswer answer;
  answer.stateless = true;
  SP_CO_TRY(answer.reply, co_await upstream::post_to_endpoint(w.upstreams.deps(), job.tool, std::move(arguments),
                                                              deadline, job.call.begun));
  co_return answer;
}

Task<Result<UpstreamAnswer>> run_inner(Worker& w, std::unique_ptr<UpstreamJob> job) {
  SP_CO_CHECK(check_still_good(w, *job));
  if (job->tool && job->tool->registration) co_return co_await ask_endpoint(w, *job);
  if (job->session) SP_CO_CHECK(note_subscription(*job));
  SP_CO_TRY(const upstream::SessionPtr session,
            co_await w.open_upstream(job->server, job->principal->id, job->call.deadline));
  const Revision revision = session->info().revision;
  if (job->events) job->events->of(job->client, revision);
  if (is_modern(revision) && is_subscription(job->call.method)) {  // open_upstream told it already
    co_return UpstreamAnswer{{false, R"({"resultType":"complete"})"}, revision, session->stateless()};
  }
  const bool over_http = job->server->transport == Transport::http;
  if (job->tool && mcp::excludes_tool({job->client, revision}, job->tool->header_params.get(), over_http)) {
    co_return fail(Code::unknown_tool, job->tool->name + ": its x-mcp-header is invalid");
  }
  if (job->tool) SP_CO_CHECK(co_await check_pin(w, session, *job->tool, job->call.deadline));
  UpstreamAnswer answer;
  answer.stateless = session->stateless();
  answer.revision = revision;
  SP_CO_TRY(answer.reply, co_await converse(w, *session, *job));
  const auto questions = job->events ? job->events->questions() : nullptr;
  if (is_modern(job->client) && questions && !questions->lacking().empty() && is_failure(answer.reply)) {
    co_return fail(Code::missing_capability, questions->lacking());  // it could not do without what it asked for
  }
  co_return answer;
}

// Ends a call whose server has been silent for its time. While people think about a question nothing runs out but the
// call's own limit.
class Patience {
 public:
  Patience(Worker& w, const UpstreamJob& job, asio::cancellation_signal& signal)
      : timer_(w.executor), events_(job.events), signal_(signal), span_(job.patience) {
    arm(span_);
  }
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;
  ~Patience() { state_->ended = true; }
  [[nodiscard]] bool over() const noexcept { return state_->over; }

 private:
  void arm(std::chrono::milliseconds span) {
    timer_.expires_after(span);
    timer_.async_wait([this, state = state_](const boost::system::error_code& ec) {
      if (ec || state->ended) return;
      const auto& questions = events_->questions();
      const bool thought = std::exchange(state->thinking, questions && questions->waiting() > 0);
      if (state->thinking) return arm(std::chrono::milliseconds(1'000));
      if (thought) return arm(span_);  // the answer came: the server has its time again
      state->over = true;
      signal_.emit(asio::cancellation_type::terminal);
    });
  }
  struct State {
    bool over = false;
    bool thinking = false;
    bool ended = false;  // the object is gone: a handler that was under way already does nothing
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
  SteadyTimer timer_;
  std::shared_ptr<Forwarder> events_;
  asio::cancellation_signal& signal_;
  std::chrono::milliseconds span_;
};

}  // namespace

bool is_subscription(std::string_view method) {
  return method == "resources/subscribe" || method == "resources/unsubscribe";
}

Task<Result<UpstreamAnswer>> run_job(Worker& w, std::unique_ptr<UpstreamJob> job) {
  const std::uint64_t key = job->key;
  if (job->redacted) w.withhold_logs(*job->server, job->principal->id);
  w.served[job->principal->id][job->principal->session_id] = job->principal;
  auto& signal = w.running.emplace(key, Worker::Running{std::make_unique<asio::cancellation_signal>(), job->principal, job->events})
                     .first->second.signal;
  const auto patience = job->patience.count() > 0 ? std::make_unique<Patience>(w, *job, *signal) : nullptr;
  auto [error, answer] = co_await asio::co_spawn(w.executor, run_inner(w, std::move(job)),
                                                 asio::bind_cancellation_slot(signal->slot(), use_task_ec));
  w.running.erase(key);
  if (patience && patience->over()) co_return fail(Code::upstream_timeout, "no answer of the server in its time");
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

void Forwarder::of(Revision client, Revision server) {
  bridge_ = {client, server};
  if (questions_) questions_->of(server);
}

void Forwarder::progress(std::string_view params) {
  if (token_.empty() || !stream_) return;
  const std::string numbers = withheld_ ? redact_progress(params) : std::string();
  const auto shaped = mcp::shape_notification(bridge_, "notifications/progress", withheld_ ? numbers : params);
  if (!shaped) return;
  std::string with_token = R"({"progressToken":)" + token_;
  if (shaped->size() > 2) with_token.append(",").append(shaped->substr(1));
  else with_token += '}';
  stream_->push(mcp::notification_envelope("notifications/progress", with_token));
}

void Forwarder::notification(std::string_view method, std::string_view params) {
  if (!stream_ || withheld_) return;
  if (method == "notifications/message") {
    const auto level = json::member(params, "level");
    const int rank = level && json::is_string(*level) ? mcp::log_level_index(level->substr(1, level->size() - 2)) : 0;
    if (rank < own_level_.value_or(session_ ? session_->log_level.load() : -1)) return;
  }
  if (const auto shaped = mcp::shape_notification(bridge_, method, params)) {
    stream_->push(mcp::notification_envelope(method, *shaped));
  }
}

Task<upstream::Reply> Forwarder::on_request(std::string method, std::string params) {
  if (!questions_) co_return upstream::method_not_found(method);
  co_return co_await questions_->ask(std::move(method), std::move(params));
}

}  // namespace sallyport
