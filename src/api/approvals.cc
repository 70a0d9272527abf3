// Calls that wait for people (issue 5, human approval): seen by whoever made them and by holders of approval:read; decided by
// holders of approval:write who see them. To all others they are not there (S4-4).
#include "api/approvals.h"
#include "api/standing.h"

namespace sallyport::api {
namespace {

using control::Approvals;

template <class F>
auto as_task(F body) -> Task<decltype(body())> {
  co_return body();
}

// `body` on the control executor, for a caller who still stands there.
template <class T, class F>
Task<Result<T>> ask(Call& call, F body) {
  return run_for_caller<T>(
      call, as_task([&store = *call.api.deps().approvals, body = std::move(body)] { return body(store); }));
}

void write_text_or_null(json::Writer& w, std::string_view key, const std::string& text) {
  if (text.empty()) w.key(key).null();
  else w.member(key, text);
}

std::string text_of(const Approval& one, bool whole) {
  json::Writer w;
  w.object().member("id", one.id).member("state", name_of(one.state)).member("principal", one.principal);
  w.member("principal_name", one.principal_name).member("server", one.server).member("tool", one.tool);
  w.member("tool_digest", one.tool_digest).member("digest", one.digest);
  if (whole) w.member_raw("arguments", one.arguments);
  w.member("policy_rule", one.rule_id).member("request_id", one.request_id);
  w.member("created_at", iso_time(one.created_at)).member("expires_at", iso_time(one.expires_at));
  write_text_or_null(w, "decided_at", one.decided_by.empty() ? "" : iso_time(one.decided_at));
  write_text_or_null(w, "decided_by", one.decided_by);
  return w.member("reason", one.reason).end_object().take();
}

bool reads_all(const Call& call) { return permit_action(call, Permission::approval_read).has_value(); }

RestAnswer shown(const Approval& one) {
  RestAnswer answer;
  answer.body = text_of(one, true);
  answer.reason = "approval=" + one.id + " state=" + std::string(name_of(one.state));
  return answer;
}

// The error of one that is there, but not for this caller, is that of one that is not.
Task<Result<Approval>> visible(Call& call) {
  co_await prepare(call, [&] { (void)reads_all(call); });
  const bool all = reads_all(call);
  SP_CO_TRY(Approval one,
            co_await ask<Approval>(call, [id = call.parts[0]](Approvals& store) { return store.find(id); }));
  if (!all && one.principal != call.principal().id) co_return fail(Code::not_found, "no such approval");
  co_return one;
}

Task<RestAnswer> decide(Call& call, bool yes) {
  auto reason = text_field(call.root(), "reason");
  if (!reason) co_return refuse(call, reason.error());
  if (const auto seen = co_await visible(call); !seen) co_return refuse(call, seen.error());
  const auto done =
      co_await ask<Approval>(call, [id = call.parts[0], yes, why = std::move(*reason), by = call.request.principal](
                                       Approvals& store) { return store.decide(id, yes, why, *by); });
  if (done) co_return shown(*done);
  // The rule that a caller meets is said: they have seen the call.
  co_return refuse(call, done.error(),
                   done.error().code == Code::access_denied ? done.error().detail : std::string_view());
}

}  // namespace

Task<RestAnswer> list_approvals(Call& call) {
  co_await prepare(call, [&] { (void)reads_all(call); });
  const bool all = reads_all(call);
  const auto found = co_await ask<std::vector<Approval>>(
      call, [](Approvals& store) { return Result<std::vector<Approval>>(store.list()); });
  if (!found) co_return refuse(call, found.error());
  std::vector<std::string> items;
  for (const Approval& one : *found) {
    if (all || one.principal == call.principal().id) items.push_back(text_of(one, false));
  }
  co_return co_await list(call, items);
}

Task<RestAnswer> show_approval(Call& call) {
  const auto one = co_await visible(call);
  co_return one ? shown(*one) : refuse(call, one.error());
}

Task<RestAnswer> approve_call(Call& call) { return decide(call, true); }
Task<RestAnswer> deny_call(Call& call) { return decide(call, false); }

Task<RestAnswer> cancel_approval(Call& call) {
  const auto done = co_await ask<Approval>(
      call, [id = call.parts[0], by = call.request.principal](Approvals& store) { return store.cancel(id, *by); });
  if (!done) co_return refuse(call, done.error());
  RestAnswer answer = no_content();
  answer.reason = "approval=" + done->id;
  co_return answer;
}

// Where an elicitation's link leads. The same for every id, there or not, so that it tells nothing.
Task<RestAnswer> approval_page(Call& call) {
  constexpr std::size_t kIdDigits = 24;
  const std::string& id = call.parts[0];
  if (id.size() != kIdDigits || id.find_first_not_of("0123456789abcdef") != std::string::npos) {
    co_return refuse(call, {Code::not_found, "no such approval"});
  }
  RestAnswer answer;
  answer.content_type = "text/html; charset=utf-8";
  answer.body =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\">"
      "<title>A call waits for approval</title><link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body>\n"
      "<h1>A call waits for approval</h1>\n"
      "<p>Somebody who may approve calls has to look at it. What it would do is shown to them "
      "alone:</p>\n<pre>sallyport approval show " +
      id + "\nsallyport approval approve " + id + "\nsallyport approval deny " + id +
      "</pre>\n<p>Programs ask <code>GET /api/v1/approvals/" + id +
      "</code> (<a href=\"/docs\">documentation</a>). The call goes on when it is made again with the same arguments, "
      "once, "
      "after it was approved.</p>\n</body></html>\n";
  answer.headers.emplace_back("Cache-Control", "no-store");
  co_return answer;
}

}  // namespace sallyport::api
