// Why a request would be allowed or refused (`policy explain`): decide() is asked and nothing is done. Reading about others: the route
// asks for policy:read, a caller's case for user:read and key:read too, and its tool must be one that the asker may read.
#include "engines/decide/explain.h"
#include <array>

#include "api/people.h"
#include "api/policy_questions.h"
#include "api/registry.h"
#include "engines/policy/explain.h"
#include "engines/rbac/rbac.h"
#include "engines/rbac/sources.h"
#include "model/registration.h"
#include "request/identity/principal_of.h"

namespace sallyport::api {
namespace {

// A call that somebody might make.
struct Case {
  SnapshotPtr snapshot;
  WallTime now{};
  bool elsewhere = false;  // the policies are on an OPA server
  PrincipalPtr who;
  std::string refused_before;  // why its credential is accepted by no door; else empty
  ToolPtr tool;
  ServerPtr server;
  Permission action = Permission::tool_execute;
  Phase phase = Phase::call;
  Channel channel = Channel::mcp;
  std::string address;
  std::string protocol;
  std::string arguments = "{}";
};

Result<void> find_principal(const Call& call, std::string_view named, Case& out) {
  const Snapshot& snapshot = *call.request.snapshot;
  const bool user = named.starts_with("user:");
  const bool key = named.starts_with("key:");
  const std::string name(named.substr(user ? 5 : key ? 4 : 0));
  if (const UserRecord* const record = key ? nullptr : find_user(snapshot, name)) {
    out.who = principal_of(*record, *snapshot.principals);
    if (!record->enabled) out.refused_before = "identity.user_disabled";
    return {};
  }
  const auto found = snapshot.principals->keys.find(name);
  if (user || found == snapshot.principals->keys.end()) return fail(Code::not_found, "no user or key " + name);
  out.who = principal_of(found->second, found->second->secret_number);
  if (const auto good = check_key(*snapshot.principals, *found->second, call.request.now); !good) {
    out.refused_before = good.error().detail;
  }
  return {};
}

constexpr std::array kNeeded{Permission::user_read, Permission::key_read};
constexpr std::string_view kElsewhere = "the policies are on an OPA server, which alone knows what rules were reached";

// Whoever asks; what they may know of it is still to be checked.
Result<Case> read_case(const Call& call) {
  const json::Value body = call.root();
  Case out{.snapshot = call.request.snapshot, .now = call.request.now, .elsewhere = call.request.ask_policy != nullptr};
  SP_CHECK(find_principal(call, body.string_at("principal").value_or(""), out));
  out.tool = tool_by_id(call, std::string(body.string_at("tool").value_or("")));
  if (out.tool) out.server = server_of(*call.request.snapshot->catalogue, out.tool->server);
  if (body.string_at("action") == "read") out.action = Permission::tool_read;
  if (body.string_at("phase") == "list") out.phase = Phase::list;
  if (body.string_at("channel") == "rest") out.channel = Channel::rest;
  out.address = body.string_at("address").value_or("");
  out.protocol = body.string_at("protocol").value_or("");
  if (const auto arguments = body.find("arguments"); arguments && arguments->is_object())
    out.arguments = arguments->raw();
  if (out.arguments.size() > kPolicyInputMax) return fail(Code::validation, "arguments: at most 256 KiB");
  return out;
}

AccessRequest request_of(const Case& asked) {
  AccessRequest request{.principal = *asked.who};
  request.channel = asked.channel;
  request.action = asked.action;
  request.server = asked.server.get();
  request.tool = asked.tool.get();
  request.phase = asked.phase;
  if (asked.phase == Phase::call) request.arguments_json = asked.arguments;
  request.remote_address = asked.address;
  request.protocol_version = asked.protocol;
  request.now = asked.now;
  return request;
}

void write_roles(json::Writer& w, const Case& asked) {
  const Snapshot& snapshot = *asked.snapshot;
  const ToolRecord& tool = *asked.tool;
  w.key("roles").object().member("permission", name_of(asked.action));
  const auto sources = rbac::sources_of(snapshot, *asked.who, asked.action, tool.server, tool.name, asked.channel);
  w.member("granted", !sources.empty()).key("granted_by").array();
  for (const rbac::Source& source : sources) w.value(rbac::to_text(source));
  w.end_array().key("missing").array();
  if (sources.empty()) w.value(std::string(name_of(asked.action)) + "@" + tool.server + "/" + tool.name);
  for (const std::string& name :
       asked.action == Permission::tool_execute ? tool.required : std::vector<std::string>{}) {
    if (!rbac::missing_dotted(*asked.who, *snapshot.roles, std::span(&name, 1)).empty()) w.value(name);
  }
  w.end_array().end_object();
}

void write_notes(json::Writer& w, const Case& asked, const Explanation& found) {
  w.key("notes").array();
  if (!asked.refused_before.empty())
    w.value("its credential is refused before anything is decided: " + asked.refused_before);
  if (!asked.tool->enabled) w.value("the tool is disabled: a call that is allowed is refused all the same");
  if (asked.server && !asked.server->enabled)
    w.value("the server is disabled: a call that is allowed is refused all the same");
  if (asked.elsewhere) w.value(kElsewhere);
  if (!found.steady) w.value("asked once more, with more time, the policy said something else: it is near its budget");
  w.end_array();
}

std::string_view channel_name(Channel channel) { return channel == Channel::mcp ? "mcp" : "rest"; }

std::string answer_text(const Case& asked, const Explanation& found) {
  json::Writer w;
  w.object().member("allowed", found.decision.allow).member("rule", found.decision.rule_id);
  w.member("reason", found.decision.reason).member("evidence", found.decision.evidence);
  w.key("principal").object().member("id", asked.who->id).member("name", asked.who->name);
  write_texts(w, "roles", asked.who->roles);
  write_texts(w, "groups", asked.who->groups);
  w.end_object().member("tool", asked.tool->server + "/" + asked.tool->name);
  w.member("phase", asked.phase == Phase::list ? "list" : "call").member("channel", channel_name(asked.channel));
  write_roles(w, asked);
  w.key("policies").array();
  for (const AskedPolicy& one : found.asked) {
    w.object().member("permission", name_of(one.action)).member("phase", one.phase == Phase::list ? "list" : "call");
    w.member("tool", one.server + "/" + one.tool).key("answer");
    policy::write(w, one.what, asked.snapshot->policy->modules);
    w.end_object();
  }
  w.end_array();
  write_notes(w, asked, found);
  w.end_object();
  return w.take();
}

// Off the workers: of a slow policy with many files it takes seconds.
Task<Result<std::string>> explanation_text(Call& call, Case asked) {
  if (asked.elsewhere) {
    co_return answer_text(asked,
                          {.decision = call.request.decider->decide(*asked.snapshot, request_of(asked)), .asked = {}});
  }
  co_return co_await ask_aside<std::string>(call, [asked = std::move(asked)]() -> Result<std::string> {
    return answer_text(asked, explain(*asked.snapshot, request_of(asked)));
  });
}

Task<RestAnswer> explain_case(Call& call) {
  for (const Permission needed : kNeeded) {
    if (const auto may = permit_action(call, needed); !may) co_return refuse(call, may.error());
  }
  const auto asked = read_case(call);
  if (!asked) co_return refuse(call, asked.error());
  if (!asked->tool || !may_read(call, *asked->tool)) {
    co_return refuse(call, {Code::not_found, "no tool " + std::string(call.root().string_at("tool").value_or(""))});
  }
  auto text = co_await explanation_text(call, *asked);
  if (!text) co_return refuse_question(call, text.error());
  RestAnswer answer;
  answer.body = *std::move(text);
  answer.reason = "of " + asked->who->id + " on " + asked->tool->server + "/" + asked->tool->name;
  co_return answer;
}

// All that explain_case() asks, for an OPA server to be asked beforehand.
void rehearse_case(const Call& call) {
  for (const Permission needed : kNeeded) (void)permit_action(call, needed);
  const auto asked = read_case(call);
  if (!asked || !asked->tool) return;
  (void)may_read(call, *asked->tool);
  (void)call.request.decider->decide(*call.request.snapshot, request_of(*asked));
}

Task<RestAnswer> explain_input(Call& call) {
  const auto asked = read_policy_question(call);
  if (!asked) co_return refuse(call, asked.error());
  RestAnswer answer;
  if (call.request.ask_policy) {
    policy::Explained what{
        .package = asked->package, .input_json = asked->input, .unexplained = std::string(kElsewhere)};
    what.answer = co_await call.request.ask_policy(asked->package, asked->input);
    answer.body = policy::explanation_of(what, {});
    co_return answer;
  }
  auto text = co_await ask_aside<std::string>(
      call, [policies = call.request.snapshot->policy, asked = *asked]() -> Result<std::string> {
        policy::PolicyEngine engine;
        SP_CHECK(engine.use(*policies));
        const auto what = policy::explain(engine, asked.package, asked.input, kPolicyBudget);
        return policy::explanation_of(what, policies->modules);
      });
  if (!text) co_return refuse_question(call, text.error());
  answer.body = *std::move(text);
  co_return answer;
}

}  // namespace

Task<RestAnswer> explain_policy(Call& call) {
  const bool by_input = call.root().find("policy_name") && call.root().find("input");
  const bool by_case = call.root().find("principal") && call.root().find("tool");
  if (by_input == by_case) {
    co_return refuse(call, {Code::validation, "give policy_name and input, or principal and tool"});
  }
  if (by_input) co_return co_await explain_input(call);
  co_await prepare(call, [&] { rehearse_case(call); });
  co_return co_await explain_case(call);
}

}  // namespace sallyport::api
