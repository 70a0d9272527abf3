#include "engines/decide/decide.h"

#include <string>

#include "engines/decide/caller.h"
#include "engines/decide/input.h"
#include "engines/decide/list_key.h"
#include "engines/decide/memo.h"
#include "engines/decide/obligations.h"
#include "engines/decide/policy_source.h"
#include "engines/decide/recorder.h"
#include "engines/decide/shadow.h"
#include "engines/decide/witness.h"
#include "engines/policy/policy.h"
#include "engines/rbac/rbac.h"
#include "model/registration.h"

namespace sallyport {
namespace {

using decide_internal::is_tool_action;
using decide_internal::Verdict;

constexpr std::size_t kReasonBytesMax = 400;
constexpr std::string_view kRuleNoAllow = "policy.tool_access.default";  // neither allowed nor denied

Decision deny(std::string_view rule, std::string_view reason, std::string evidence = {}) {
  return Decision::denied(Stage::authorization, std::string(rule), std::string(reason), std::move(evidence));
}

std::string_view server_of(const AccessRequest& request) {
  if (request.tool != nullptr) return request.tool->server;
  return request.server != nullptr ? std::string_view(request.server->name) : std::string_view();
}

std::string_view tool_of(const AccessRequest& request) {
  return request.tool != nullptr ? std::string_view(request.tool->name) : std::string_view();
}

std::string resource_of(const AccessRequest& request) {
  return std::string(name_of(request.action)).append(" on ").append(server_of(request)).append("/").append(tool_of(request));
}

std::string join_reasons(const std::vector<std::string>& reasons) {
  std::string out;
  for (const std::string& reason : reasons) {
    if (!out.empty()) out += "; ";
    out += reason;
    if (out.size() > kReasonBytesMax) break;
  }
  if (out.size() > kReasonBytesMax) {
    // Not in the middle of a UTF-8 sequence.
    std::size_t end = kReasonBytesMax;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0U) == 0x80U) --end;
    out.resize(end);
  }
  return out;
}

// What roles and grants say. Allowed here is not allowed yet: the policy is still to be asked.
Decision by_roles(const Snapshot& snapshot, const AccessRequest& request, PermissionSet held) {
  const Principal& principal = request.principal;
  if (principal.must_change_password) {
    return deny(kRulePassword, "password_change_required", "nothing but changing the password");
  }
  if (principal.must_enroll)
    return deny(kRuleEnroll, "second_factor_enrollment", "nothing but setting up a second factor");
  const bool on_tools = request.action == Permission::tool_read || request.action == Permission::tool_execute;
  const bool no_object = request.tool == nullptr && request.server == nullptr;
  if (on_tools && no_object) return deny(kRuleUnknown, "unknown_tool", "no such name");
  // Creating, changing and deleting are decided on the name alone, so that a refusal says nothing of what exists.
  if (on_tools && !held.has(Permission::tool_read)) {
    return deny(kRuleUnknown, "unknown_tool", "no tool:read for " + resource_of(request));
  }
  if (!held.has(request.action)) return deny(kRuleNoGrant, "no_grant", "no " + resource_of(request));
  if (request.action == Permission::tool_execute) {
    const auto& required = request.tool != nullptr ? request.tool->required : request.server->required;
    const auto missing = rbac::missing_dotted(principal, *snapshot.roles, required);
    if (!missing.empty()) return deny(kRuleNoDotted, "missing_permission", std::string("missing ").append(missing));
  }
  return Decision::allowed(Stage::authorization, "rbac.granted");
}

// A refusal of which somebody who may not read the tool would learn that it is there.
bool tells_of_the_tool(const Decision& decision) {
  return !decision.allow && !is_unknown(decision) && decision.rule_id != kRulePassword &&
         decision.rule_id != kRuleEnroll;
}

bool reads_bound(const Snapshot& snapshot, const AccessRequest& request, const Registration& what) {
  return rbac::grants(request.principal, *snapshot.roles, Permission::tool_read, what.bound_server, what.bound_tool,
                      request.channel);
}

// Bound is a call alone, of a tool or of a server as a whole: a list, a look and a change carry nothing out. Whatever admin_access binds is
// asked for too, to be refused: it must not be passed over in silence.
bool asks_obligations(const AccessRequest& request) {
  if (!is_tool_action(request.action)) return true;
  return request.action == Permission::tool_execute && request.phase == Phase::call;
}

// What the policy's answer comes to, whoever asked.
Verdict verdict_of(const policy::PolicyAnswer& answer, const std::string& rule, bool on_tools) {
  if (answer.deny) {
    std::string reason = join_reasons(answer.deny_reasons);
    if (reason.empty()) reason = "policy_denied";
    return {false, rule + ".deny", std::move(reason), "", nullptr};
  }
  if (!answer.allow) return {false, rule + ".default", "policy_denied", "no rule allows ", nullptr};
  decide_internal::ObligationsPtr obligations;
  if (!answer.obligations.empty()) {
    auto read = decide_internal::read_obligations(answer.obligations);
    if (read && *read && !on_tools) read = fail(Code::internal, "nothing but a call can be bound");
    if (!read) return {false, rule + ".obligation", "policy_error", read.error().detail + ": ", nullptr};
    obligations = *std::move(read);
  }
  return {true, rule + ".allow", "", "", std::move(obligations)};
}

Decision decision_of(const Verdict& verdict, const AccessRequest& request) {
  if (!verdict.allow) return deny(verdict.rule, verdict.reason, verdict.why + resource_of(request));
  Decision decision = Decision::allowed(Stage::authorization, verdict.rule);
  decision.obligations = verdict.obligations;
  return decision;
}

}  // namespace

struct Decider::Impl {
  explicit Impl(const DeciderSettings& from) : settings(from), memo(from.memo_entries) {
    if (from.clock != nullptr) shadow = std::make_unique<Shadow>(*from.clock);
    if (from.record_bytes != 0) recorder = std::make_unique<Recorder>(from.record_bytes, from.hide, from.record_key);
  }

  DeciderSettings settings;
  policy::PolicyEngine engine;
  std::optional<std::uint64_t> policy_epoch;
  decide_internal::Memo memo;
  decide_internal::Caller caller;
  std::string input;
  std::string text;  // what an answer is remembered by
  Counters counters;
  std::unique_ptr<Shadow> shadow;
  std::unique_ptr<Recorder> recorder;

  Result<void> use(const Snapshot& snapshot);
  Decision answer(const Snapshot& snapshot, const AccessRequest& request);
  Decision decide(const Snapshot& snapshot, const AccessRequest& request);
  Decision with_bound(const Snapshot& snapshot, const AccessRequest& request);
  Decision decide_once(const Snapshot& snapshot, const AccessRequest& request);
  Decision decide_elsewhere(const Snapshot& snapshot, const AccessRequest& request);
  Decision ask_policy(const Snapshot& snapshot, const AccessRequest& request, PermissionSet held);
  Decision ask_source(const Snapshot& snapshot, const AccessRequest& request, PermissionSet held);
};

Decision Decider::Impl::ask_source(const Snapshot& snapshot, const AccessRequest& request, PermissionSet held) {
  const bool on_tools = is_tool_action(request.action);
  const std::string_view package = on_tools ? "tool_access" : "admin_access";
  const auto arguments = request.phase == Phase::list ? std::nullopt : request.arguments_json;
  auto answer = decide_internal::ask_elsewhere(*settings.source, package, snapshot, {request, held, arguments, caller});
  if (!answer) return deny(kRulePolicyError, "policy_error", answer.error().detail);
  if (!asks_obligations(request)) answer->obligations.clear();  // over there all rules are evaluated always
  return decision_of(verdict_of(*answer, "policy." + std::string(package), on_tools), request);
}

// The law again. Both questions are put before either answer is looked at: each costs a way to the server and back.
Decision Decider::Impl::decide_elsewhere(const Snapshot& snapshot, const AccessRequest& request) {
  Decision decision = decide_once(snapshot, request);
  if (request.phase == Phase::list) return decision;
  AccessRequest listed = request;
  listed.phase = Phase::list;
  listed.arguments_json = std::nullopt;
  Decision first = decide_once(snapshot, listed);
  return first.allow ? decision : first;
}

// An answer is remembered where it depends on nothing but the text of the input.
Decision Decider::Impl::ask_policy(const Snapshot& snapshot, const AccessRequest& request, PermissionSet held) {
  const bool on_tools = is_tool_action(request.action);
  const std::string_view package = on_tools ? "tool_access" : "admin_access";
  const auto arguments = request.phase == Phase::list ? std::nullopt : request.arguments_json;
  const bool obliged = asks_obligations(request);
  const policy::Reads& reads = engine.reads();
  const bool memorable = !reads.changing() && !reads.has(policy::Field::time) &&
                         !(reads.has(policy::Field::arguments) && arguments.has_value());
  decide_internal::write_input(snapshot, request, held, reads, input, &caller);
  if (memorable) {
    text.assign(on_tools ? "t" : "a").append(obliged ? "o" : "-").append(input);
    if (const Verdict* known = memo.find(text)) {
      ++counters.remembered;
      return decision_of(*known, request);
    }
  }
  if (settings.witness != nullptr) settings.witness->asking(engine);
  const auto answer = engine.evaluate(package, input, arguments, settings.policy_budget, obliged);
  if (settings.witness != nullptr) settings.witness->asked(engine, request, package, input, arguments, answer);
  // An error may pass (a budget exceeded on a busy machine): it denies now, and is not remembered.
  if (!answer) return deny(kRulePolicyError, "policy_error", answer.error().detail);
  Verdict verdict = verdict_of(*answer, "policy." + std::string(package), on_tools);
  Decision decision = decision_of(verdict, request);
  if (memorable) memo.store(text, std::move(verdict));
  return decision;
}

Result<void> Decider::Impl::use(const Snapshot& snapshot) {
  if (policy_epoch != snapshot.policy->epoch) {
    memo.clear();
    policy_epoch = snapshot.policy->epoch;
  }
  return engine.use(*snapshot.policy);
}

Decision Decider::Impl::decide(const Snapshot& snapshot, const AccessRequest& request) {
  ++counters.decided;
  if (settings.source != nullptr) return decide_elsewhere(snapshot, request);
  if (auto used = use(snapshot); !used) return deny(kRulePolicyError, "policy_error", used.error().detail);
  // Law: nothing is callable that is not listed. A policy that tells list from call cannot break it.
  const policy::Reads& reads = engine.reads();
  const bool tells =
      reads.has(policy::Field::arguments) || reads.has(policy::Field::phase) || reads.has(policy::Field::method);
  if (request.phase == Phase::call && tells) {
    AccessRequest listed = request;
    listed.phase = Phase::list;
    listed.arguments_json = std::nullopt;
    if (Decision decision = decide_once(snapshot, listed); !decision.allow) return decision;
  }
  return decide_once(snapshot, request);
}

Decision Decider::Impl::decide_once(const Snapshot& snapshot, const AccessRequest& request) {
  caller.resolve(snapshot, request.principal);
  const auto held =
      rbac::effective_on(request.principal, caller.held(), server_of(request), tool_of(request), request.channel);
  Decision decision = by_roles(snapshot, request, held);
  if (!decision.allow) return decision;
  return settings.source != nullptr ? ask_source(snapshot, request, held) : ask_policy(snapshot, request, held);
}

Decider::Decider(DeciderSettings settings) : impl_(std::make_unique<Impl>(settings)) {}
Decider::Decider(Decider&&) noexcept = default;
Decider& Decider::operator=(Decider&&) noexcept = default;
Decider::~Decider() = default;

// Another name for an upstream's tool is no way around what is decided of that tool: both must be allowed, and who may not
// read the tool does not learn its name from what is bound to it. One that is gone is decided by its name.
Decision Decider::Impl::with_bound(const Snapshot& snapshot, const AccessRequest& request) {
  Decision decision = decide(snapshot, request);
  const bool on_tools = request.action == Permission::tool_read || request.action == Permission::tool_execute;
  const Registration* const registration = request.tool != nullptr ? request.tool->registration.get() : nullptr;
  if (!on_tools || registration == nullptr || registration->bound_server.empty()) return decision;
  if (tells_of_the_tool(decision) && !reads_bound(snapshot, request, *registration)) {
    return deny(kRuleUnknown, "unknown_tool", "no tool:read on what it is bound to: " + decision.evidence);
  }
  if (!decision.allow) return decision;
  const ToolPtr bound = upstream_tool(*snapshot.catalogue, registration->bound_server, registration->bound_tool);
  ToolRecord gone;
  gone.server = registration->bound_server;
  gone.name = registration->bound_tool;
  const ServerPtr server = server_of(*snapshot.catalogue, registration->bound_server);
  AccessRequest below = request;
  below.tool = bound ? bound.get() : &gone;
  below.server = server.get();
  Decision second = decide(snapshot, below);
  if (second.allow) {
    decision.obligations = decide_internal::unite(decision.obligations, second.obligations);
    return decision;
  }
  second.evidence += " (" + request.tool->server + "/" + request.tool->name + " is bound to it)";
  return second;
}

// Who may execute a tool may read it, as with grants, unless a rule denies just that; and the catalogue of REST is what may be
// read, so that what it does not show cannot be called there.
Decision Decider::Impl::answer(const Snapshot& snapshot, const AccessRequest& request) {
  Decision decision = with_bound(snapshot, request);
  AccessRequest other = request;
  other.phase = Phase::list;
  other.arguments_json = std::nullopt;
  if (request.action == Permission::tool_read && decision.rule_id == kRuleNoAllow) {
    other.action = Permission::tool_execute;
    if (Decision executed = with_bound(snapshot, other); executed.allow) return executed;
  }
  if (request.action == Permission::tool_execute && decision.allow && request.channel != Channel::mcp) {
    other.action = Permission::tool_read;
    if (Decision read = answer(snapshot, other); !read.allow) return read;
  }
  return decision;
}

Decision Decider::decide(const Snapshot& snapshot, const AccessRequest& request) {
  Decision decision;
  try {
    decision = impl_->answer(snapshot, request);
  } catch (const std::exception& e) {
    decision = deny(kRulePolicyError, "policy_error", e.what());
  }
  if (decision.rule_id == kRulePolicyError) ++impl_->counters.failed;
  if (!request.counts) return decision;
  if (impl_->shadow) impl_->shadow->compare(snapshot, request, decision);
  if (impl_->recorder) impl_->recorder->note(snapshot, request, decision);
  return decision;
}

std::string Decider::list_key(const Snapshot& snapshot, const AccessRequest& request) {
  if (impl_->settings.source != nullptr || impl_->settings.witness != nullptr || snapshot.shadow) return {};
  if (!impl_->use(snapshot)) return {};
  const policy::Reads& reads = impl_->engine.reads();
  if (reads.changing() || reads.has(policy::Field::time)) return {};
  impl_->caller.resolve(snapshot, request.principal);
  return decide_internal::list_key(snapshot, request, reads, impl_->caller);
}

const Recorder* Decider::recorder() const noexcept { return impl_->recorder.get(); }

Shadow* Decider::shadow() noexcept { return impl_->shadow.get(); }

Decider::Counters Decider::counters() const noexcept { return impl_->counters; }

Error to_error(const Decision& decision) {
  Code code = Code::access_denied;
  if (is_unknown(decision)) code = Code::unknown_tool;
  if (decision.rule_id == kRulePassword) code = Code::password_change_required;
  if (decision.rule_id == kRuleEnroll) code = Code::second_factor_enrollment;
  return {code, decision.rule_id + ": " + decision.evidence};
}

bool check_permission(Decider& decider, const Snapshot& snapshot, const Principal& principal,
                      std::string_view permission, std::string_view tool_id, Channel channel, WallTime now) {
  const auto slash = tool_id.find('/');
  if (slash == std::string_view::npos) {
    const auto exposed = snapshot.catalogue->exposed.find(tool_id);
    const ToolPtr tool = exposed == snapshot.catalogue->exposed.end() ? nullptr : exposed->second;
    const ServerPtr server = tool ? server_of(*snapshot.catalogue, tool->server) : nullptr;
    return tool && check_permission(decider, snapshot, principal, permission, server.get(), tool.get(), channel, now);
  }
  const auto tools = snapshot.catalogue->tools.find(tool_id.substr(0, slash));
  if (tools == snapshot.catalogue->tools.end()) return false;
  const auto tool = tools->second.find(tool_id.substr(slash + 1));
  if (tool == tools->second.end()) return false;
  const ServerPtr server = server_of(*snapshot.catalogue, tools->first);
  return check_permission(decider, snapshot, principal, permission, server.get(), tool->second.get(), channel, now);
}

bool check_permission(Decider& decider, const Snapshot& snapshot, const Principal& principal, std::string_view permission,
                      const ServerRecord* server, const ToolRecord* tool, Channel channel, WallTime now) {
  const auto wanted = parse_permissions(permission);
  if (!wanted) return false;
  for (std::size_t i = 0; i < kPermissionNames.size(); ++i) {
    const auto one = static_cast<Permission>(i);
    if (!wanted->has(one)) continue;
    const AccessRequest request{.principal = principal, .channel = channel, .action = one, .server = server,
                                .tool = tool, .now = now};
    if (!decider.decide(snapshot, request).allow) return false;
  }
  return true;
}

}  // namespace sallyport
