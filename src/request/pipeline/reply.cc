// What the caller hears: one answer for each request, in the form that the door asks for.
#include "core/random.h"
#include "json/writer.h"
#include "request/mcp/names.h"
#include "request/pipeline/pipeline.h"

namespace sallyport {
namespace {

bool is_rpc(const Flow& f) { return f.route == telemetry::Route::mcp_other; }

// A fault of the caller's own message is explained (a number out of range by its path); of anything else the detail is
// for log and audit alone.
bool explained(Code code) {
  return code == Code::parse_error || code == Code::invalid_request || code == Code::invalid_params;
}

std::string public_text(const Flow& f, const Error& error) {
  if (!f.say.empty()) return f.say;
  std::string text(info(error.code).public_text);
  if (f.stage == Stage::mcp && explained(error.code) && !error.detail.empty()) text += ": " + error.detail;
  return text;
}

// The JSON-RPC code of an error of a call that was read: an unknown method of a legacy session is -32601 in a 200.
int http_status_of(const Flow& f, const Error& error) {
  if (error.code == Code::rate_limited || error.code == Code::draining) return info(error.code).http_status;
  if (f.door != mcp::Door::streamable) return info(error.code).http_status;  // nobody reads the body of such an answer
  if (is_modern(f.revision)) return Pipeline::modern_status(f, error);
  if (error.code == Code::unsupported_version) return info(error.code).http_status;  // MCP-Protocol-Version
  const bool about_http = !f.message || f.message->kind != mcp::Kind::request;
  const bool about_url = f.message && f.message->method == mcp::Method::initialize && error.code == Code::not_found;
  const bool about_session = about_url || error.code == Code::session_unknown || error.code == Code::session_missing;
  return about_http || about_session ? info(error.code).http_status : 200;
}

std::string_view methods_of(mcp::Door door) {
  if (door == mcp::Door::sse) return "GET";
  return door == mcp::Door::messages ? "POST" : "GET, POST, DELETE";
}

std::string rest_error(const Flow& f, const Error& error) {
  json::Writer w;
  w.object().key("error").object().member("code", info(error.code).name).member("message", public_text(f, error));
  w.key("details");
  if (f.data.empty()) w.object().end_object();
  else w.raw(f.data);
  w.end_object().member("timestamp", iso_time(f.now)).member("request_id", f.record.request_id);
  w.member("detail", public_text(f, error));
  if (f.verdict && !f.verdict->allow) w.member("retry_after", f.verdict->retry_after.count());
  w.end_object();
  return w.take();
}

// Arguments that do not fit are the model's to mend: a tool's own error for clients of 2026-07-28 (MCP, tools, error handling).
std::string rpc_error(const Flow& f, const Error& error) {
  if (error.code == Code::approval_required && !f.result.empty()) {  // not made, and yet an answer that clients read
    return f.result_is_error ? mcp::raw_error_envelope(f.rpc_id, f.result) : mcp::result_envelope(f.rpc_id, f.result);
  }
  if (error.code == Code::invalid_arguments && is_modern(f.revision)) {
    return mcp::result_envelope(
        f.rpc_id, mcp::with_member(mcp::tool_error(public_text(f, error)), "resultType", R"("complete")"));
  }
  std::string body = mcp::error_envelope(f.rpc_id, info(error.code).jsonrpc_code, public_text(f, error), f.data);
  if (!f.verdict || f.verdict->allow) return body;
  body.pop_back();  // S1-29 beside the JSON-RPC error: clients of both kinds find what they look for
  return body + "," + rate_body(*f.verdict).substr(1);
}

}  // namespace

std::string Pipeline::rpc_answer(const Flow& f, const Result<void>& done) const {
  if (!done) return rpc_error(f, done.error());
  if (!f.whole_answer.empty()) return f.whole_answer;
  return f.result_is_error ? mcp::raw_error_envelope(f.rpc_id, f.result) : mcp::result_envelope(f.rpc_id, f.result);
}

net::Response Pipeline::refusal(const Flow& f, const Error& error) const {
  net::Response response;
  response.status = is_rpc(f) ? http_status_of(f, error) : info(error.code).http_status;
  response.content_type = "application/json";
  response.body = is_rpc(f) ? rpc_error(f, error) : rest_error(f, error);
  if (error.code == Code::unauthenticated || error.code == Code::token_expired) {
    response.headers.emplace_back("WWW-Authenticate", www_authenticate(!error.detail.starts_with("identity.no_credential")));
  }
  if (error.code == Code::method_not_allowed) response.headers.emplace_back("Allow", methods_of(f.door));
  return response;
}

Task<void> Pipeline::reply(Flow& f, net::ServerExchange& exchange, const Result<void>& done) {
  if (f.events && f.events->settle()) {  // the stream is open already: the answer is its last event
    co_await f.events->finish(rpc_answer(f, done));
    if (exchange.answered()) (void)co_await exchange.end_stream();
    co_return;
  }
  if (exchange.answered()) co_return;  // a GET stream that has ended
  net::Response response;
  if (!done) {
    response = refusal(f, done.error());
  } else if (f.response) {
    response = std::move(*f.response);
  } else {
    response.content_type = "application/json";
    response.body = rpc_answer(f, done);
  }
  for (auto& header : f.headers) response.headers.push_back(std::move(header));
  if (f.verdict) {
    tell_rate_headers(*f.verdict, f.now,
                      [&exchange](std::string_view name, std::string_view value) { exchange.add_header(name, value); });
  }
  (void)co_await exchange.respond(std::move(response));  // a client that is gone hears nothing; the record stands
}

}  // namespace sallyport
