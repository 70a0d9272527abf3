// The stage between validation and intent: a call that a policy lets pass only when people approve it waits for them
// (docs/policy.md, "Approval"). What they approve is this one call: the digest names principal, tool with its approved
// definition, and arguments. Whether they did is asked of the one store (Fleet::approve); no answer is no approval.
#include "core/encoding.h"
#include "crypto/hash.h"
#include "json/canonical.h"
#include "json/writer.h"
#include "model/registration.h"
#include "request/mcp/capabilities.h"
#include "request/mcp/dialect.h"
#include "request/mcp/message.h"
#include "request/mcp/names.h"
#include "request/mcp/request_state.h"
#include "request/pipeline/pipeline.h"
#include "request/pipeline/upstream_step.h"

namespace sallyport {
namespace {

constexpr std::string_view kElicit = "elicitation/create";

Result<std::string> canonical_arguments(const Flow& f, const json::ReadLimits& limits) {
  if (f.arguments_document) return json::canonical(f.arguments_document->root());
  if (f.tool) return f.message->arguments_value ? json::canonical(*f.message->arguments_value) : "{}";
  SP_TRY(const json::Document document, json::read(f.arguments, limits));
  return json::canonical(document.root());
}

// Each part with its length, and each list with its count, so that no two calls have one text.
class CallDigest {
 public:
  CallDigest() { hash_.update("sallyport approval/2"); }
  void add(std::string_view text) {
    hash_.update("\n" + std::to_string(text.size()) + ":");
    hash_.update(text);
  }
  // Where a call goes: no part of a tool's definition, and all the same what people approve. Secrets are references here.
  void add_route(const ServerRecord& server) {
    add(server.transport == Transport::http ? "http" : "stdio");
    add(server.working_directory);
    add(server.url);
    add(server.network ? "network" : "");
    add(server.allow_private ? "private" : "");
    if (server.tls.any()) add_tls(server.tls);
    for (const auto* list : {&server.command, &server.paths}) {
      add(std::to_string(list->size()));
      for (const std::string& one : *list) add(one);
    }
    for (const auto* pairs : {&server.env, &server.headers}) {
      add(std::to_string(pairs->size()));
      for (const auto& [name, value] : *pairs) {
        add(name);
        add(value);
      }
    }
  }
  std::string finish() { return hex_encode(hash_.finish()); }

 private:
  // Who is believed to be that server.
  void add_tls(const UpstreamTls& tls) {
    for (const std::string* one : {&tls.ca, &tls.client_certificate, &tls.client_key}) add(*one);
    add(std::to_string(tls.pins.size()));
    for (const std::string& pin : tls.pins) add(pin);
  }

  crypto::Sha256 hash_;
};

Result<std::string> digest_of(const Flow& f, const json::ReadLimits& limits) {
  static const ServerRecord kNone;
  SP_TRY(const std::string arguments, canonical_arguments(f, limits));
  CallDigest digest;
  digest.add(f.principal->id);
  for (const ToolRecord* tool : {f.tool.get(), f.called_as.get()}) {
    digest.add(tool != nullptr ? tool->server : "");
    digest.add(tool != nullptr ? tool->name : "");
    digest.add(tool != nullptr ? tool->digest : "");
    const bool posts = tool != nullptr && tool->registration && tool->registration->endpoint;
    digest.add_route(posts ? *tool->registration->endpoint : kNone);
  }
  digest.add_route(f.server ? *f.server : kNone);
  digest.add(arguments);
  if (!f.tool) {  // a resource, a prompt, a completion
    digest.add(f.server->name);
    digest.add(f.message->method_name);
  }
  return digest.finish();
}

Result<Approval> call_of(const Flow& f, const json::ReadLimits& limits) {
  Approval call;
  SP_TRY(call.digest, digest_of(f, limits));
  call.principal = f.principal->id;
  call.principal_name = f.principal->name;
  call.person = person_of(*f.principal);
  call.server = f.server->name;
  call.tool = f.tool ? f.tool->name : f.message->method_name;
  if (f.tool) call.tool_digest = f.tool->digest;
  call.arguments = f.arguments;
  call.rule_id = f.record.rule_id;
  call.request_id = f.record.request_id;
  return call;
}

std::string details_of(const Approval& call) {
  json::Writer w;
  w.object().member("approval_id", call.id).member("state", name_of(call.state));
  return w.member("expires_at", iso_time(call.expires_at)).end_object().take();
}

// Nothing of the arguments stands in it: it goes through other hands.
std::string url_params(const Approval& call, const std::string& base_url, bool with_id) {
  json::Writer w;
  w.object().member("mode", "url");
  if (with_id) w.member("elicitationId", call.id);
  w.member("message", "The call of " + call.server + "/" + call.tool + " waits for approval " + call.id);
  return w.member("url", base_url + "/approvals/" + call.id + "/page").end_object().take();
}

// A tool's own result, so that a model reads it and waits.
std::string pending_result(const Flow& f, const Approval& call) {
  const std::string text = "This call waits for approval " + call.id +
                           " and was not made. Somebody with the permission approval:write decides: "
                           "`sallyport approval approve " +
                           call.id + "`. It waits until " + iso_time(call.expires_at) +
                           ". Call again with the same arguments once it is approved.";
  json::Writer meta;
  meta.object().key("sallyport/approval").object().member("id", call.id).member("state", name_of(call.state));
  meta.member("expires_at", iso_time(call.expires_at)).end_object().end_object();
  std::string result = mcp::with_member(mcp::tool_error(text), "_meta", meta.text());
  return is_modern(f.revision) ? mcp::with_member(result, "resultType", R"("complete")") : result;
}

// MCP 2026-07-28, multi round-trip requests: which may be answered by `input_required`.
bool has_rounds(const Flow& f) {
  using mcp::Method;
  return f.tool || f.message->method == Method::resources_read || f.message->method == Method::prompts_get;
}

}  // namespace

Task<Result<void>> Pipeline::approve(Flow& f) {
  if (!f.obligations || !f.obligations->require_approval) co_return Result<void>{};
  f.enter(Stage::authorization);
  if (!f.server || !fleet_.approve) co_return fail(Code::internal, "an approval that nobody can give");  // fail closed
  ApprovalClaim claim;
  SP_CO_TRY(claim.call, call_of(f, fleet_.settings.json));
  const bool retries = f.message && !f.message->request_state.empty();
  if (retries) {
    SP_CO_TRY(const mcp::RequestState state, mcp::open_state(fleet_.keys.key(crypto::Purpose::request_state),
                                                             f.message->request_state, state_binding(f), f.now));
    if (state.round > 0) claim.id = state.approval;
    claim.round = state.round;
  }
  auto claimed = co_await fleet_.approve(claim);
  if (!claimed && claimed.error().code == Code::limit) {
    f.say = "Too many calls wait for approval: withdraw one, or ask those who approve";
  }
  SP_CO_TRY(const Approval call, std::move(claimed));
  if (call.state != ApprovalState::used) co_return withhold(f, call, retries);
  f.approval = call.id;
  f.approval_round = call.rounds;
  f.record.evidence += (f.record.evidence.empty() ? "approval=" : "; approval=") + call.id;
  if (retries && claim.round == 0) {  // what it carried was ours: the tool server never asked
    f.message->request_state = {};
    f.message->input_responses = {};
  }
  co_return Result<void>{};
}

// The answer to a call that does not pass, in the form that its client knows.
Result<void> Pipeline::withhold(Flow& f, const Approval& call, bool retried) {
  const std::string evidence = "approval=" + call.id;
  f.data = details_of(call);
  if (call.state != ApprovalState::pending) {
    f.say = "Access denied: the call was not approved" + (call.reason.empty() ? "" : ": " + call.reason);
    return fail(Code::access_denied, evidence + " " + std::string(name_of(call.state)));
  }
  const std::string& base = fleet_.settings.base_url;
  const bool by_url = mcp::can_answer(declared_by(f), kElicit, R"({"mode":"url"})");
  if (is_modern(f.revision) && by_url && !retried && has_rounds(f)) {
    json::Writer w;
    w.object().key("approval").object().member("method", kElicit);
    w.member_raw("params", url_params(call, base, false)).end_object().end_object();
    const mcp::RequestState state{.approval = call.id};
    SP_TRY(const std::string sealed, mcp::seal_state(fleet_.keys.key(crypto::Purpose::request_state), state,
                                                     state_binding(f), call.expires_at, fleet_.random));
    f.result = mcp::input_required_result(w.text(), sealed);
  } else if (f.session && f.revision == Revision::r2025_11_25 && by_url) {
    json::Writer w;
    w.object().member("code", -32042).member("message", "The call waits for an approval").key("data").object();
    w.key("elicitations").array().raw(url_params(call, base, true)).end_array().end_object().end_object();
    f.result = w.take();
    f.result_is_error = true;
  } else if (f.message && f.tool) {
    f.result = pending_result(f, call);
  }
  f.say = "The call waits for approval " + call.id + ": make it again with the same arguments once it is approved";
  return fail(Code::approval_required, evidence);
}

}  // namespace sallyport
