// Evidence before effect (design, principle 7): an intent before an upstream is touched or a change is made, an outcome
// before the reply; a refusal is one record.
#include "request/pipeline/pipeline.h"

namespace sallyport {
namespace {

double seconds(std::chrono::nanoseconds span) { return std::chrono::duration<double>(span).count(); }

// A REST answer may be a refusal too.
bool is_good(const Flow& f, const Result<void>& done) { return done && (!f.response || f.response->status < 400); }

std::string_view result_word(const Flow& f, const Result<void>& done) {
  if (done && !is_good(f, done)) return f.response->status < 500 ? "denied" : "error";
  if (done && f.input_required) return "input_required";  // it goes on with a retry, which has records of its own
  if (done) return f.result_is_error ? "error" : "success";
  switch (done.error().code) {
    case Code::cancelled: return "cancelled";
    case Code::approval_required: return "pending";
    case Code::upstream_unavailable:
    case Code::upstream_timeout:
    case Code::upstream_protocol:
    case Code::upstream_too_large:
    case Code::upstream_refused:
    case Code::output_invalid: return "error";
    default: return "denied";
  }
}

void name_refusal(Flow& f, const Error& error) {
  auto& record = f.record;
  if (record.stage.empty()) record.stage = stage_name(f.stage);
  if (record.reason.empty()) record.reason = info(error.code).name;
  if (record.evidence.empty()) record.evidence = error.detail;
  else if (f.called_as) record.evidence += "; " + error.detail;
  if (f.stage == Stage::identity) record.event_type = audit::kAuthentication;
}

}  // namespace

Task<Result<void>> Pipeline::intent(Flow& f) {
  f.enter(Stage::audit);
  if (f.record.event_type.empty() || (f.message && f.record.action.empty())) {
    f.record.event_type = f.message && f.message->method == mcp::Method::tools_list ? audit::kToolList : audit::kHttp;
    if (f.message) f.record.action = f.message->method_name;
  }
  const bool lists = f.message && f.message->kind == mcp::Kind::request && f.record.event_type == audit::kToolList;
  if (!f.touches_upstream && !lists && f.route != telemetry::Route::api) co_return Result<void>();  // nothing is touched
  const bool whole = f.obligations && f.obligations->log_full;
  if (f.tool || (whole && f.server)) {
    f.record.arguments = whole ? fleet_.redactor.whole(f.arguments) : fleet_.redactor.json(f.arguments);
    f.record.arguments_digest = fleet_.redactor.digest(f.arguments);
  }
  if (f.message && !f.message->input_responses.empty()) {
    if (!f.record.evidence.empty()) f.record.evidence += "; ";
    f.record.evidence += "input responses " + fleet_.redactor.digest(f.message->input_responses);
  }
  f.record.kind = audit::Kind::intent;
  f.record.time = fleet_.clock.wall();
  SP_CO_CHECK(co_await keep(f));
  f.intent_written = true;
  f.record.arguments.clear();  // they stand in the intent; the outcome carries their digest
  co_return Result<void>();
}

Task<Result<void>> Pipeline::keep(Flow& f) {
  if (f.timing) f.timing->lap(f.stage);
  auto written = co_await w_.evidence.write(f.record);
  if (f.timing) f.timing->skip();  // others' records are not our time
  kept(f, written);
  co_return written;
}

void Pipeline::kept(const Flow& f, const Result<void>& written) {
  if (written) return w_.metrics.event(telemetry::Event::audit_record);
  fleet_.log.write(telemetry::Level::error, "audit record not written", {{"why", written.error().detail}}, f.record.request_id);
}

Task<Result<void>> Pipeline::outcome(Flow& f, const Result<void>& done) {
  const Stage ended = f.stage;
  const bool wanted = describe_outcome(f, done);
  f.enter(Stage::audit);
  Result<void> written;
  if (wanted) written = co_await keep(f);
  f.stage = ended;
  co_return written;
}

// False: one of a flood, counted in a record that is yet to come.
bool Pipeline::describe_outcome(Flow& f, const Result<void>& done) {
  auto& record = f.record;
  record.kind = f.intent_written ? audit::Kind::outcome : is_good(f, done) ? audit::Kind::event : audit::Kind::refusal;
  record.time = fleet_.clock.wall();
  record.result = result_word(f, done);
  if (!done) name_refusal(f, done.error());
  if (f.upstream_took.count() > 0) record.execution_time_s = seconds(f.upstream_took);
  record.process_time_s = seconds(fleet_.clock.steady() - f.started);
  if (f.response) record.status_code = f.response->status;
  else if (!done && f.rpc_id.empty()) record.status_code = info(done.error().code).http_status;
  w_.metrics.request(f.route, is_good(f, done) ? telemetry::Outcome::ok : telemetry::Outcome::refused);
  if (!done) w_.metrics.refusal(f.stage, done.error().code);
  const bool forbidden = done && f.response && f.response->status == 403 && record.event_type != audit::kToolExecution;
  const bool login = record.event_type == audit::kAuthentication && record.action == "login";
  if (login && !is_good(f, done)) w_.metrics.event(telemetry::Event::failed_login);
  if (forbidden || (!done && f.stage == Stage::authorization && done.error().code != Code::approval_required))
    w_.metrics.event(telemetry::Event::permission_denial);
  if (!done && done.error().code == Code::rate_limited) w_.metrics.event(telemetry::Event::rate_limit_violation);
  if (!done && f.stage == Stage::address_admission) {
    const std::uint64_t admitted = w_.admit_flood_record(fleet_.clock.steady());
    if (admitted == 0) return false;
    if (admitted > 1) record.evidence += "; " + std::to_string(admitted - 1) + " more refused since the last such record";
  }
  return true;
}

}  // namespace sallyport
