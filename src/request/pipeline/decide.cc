// Authorization to argument validation: what may be done, how often, and with which arguments.
#include <utility>

#include "json/slice.h"
#include "json/writer.h"
#include "model/registration.h"
#include "request/mcp/names.h"
#include "request/pipeline/chosen_target.h"
#include "request/pipeline/pipeline.h"
#include "request/validation/validation.h"

namespace sallyport {
namespace {

using mcp::Method;

}  // namespace

bool is_of_server(Method method) noexcept {
  return method == Method::resources_read || method == Method::resources_subscribe ||
         method == Method::resources_unsubscribe || method == Method::prompts_get ||
         method == Method::completion_complete;
}

bool opens(Method method) noexcept { return method == Method::initialize || method == Method::discover; }

namespace {

// The name or URI by which a message of MCP chooses its server.
struct Chosen {
  std::string text;
  bool is_uri = false;
};

Result<Chosen> chosen_by(const mcp::Message& message) {
  if (message.method == Method::prompts_get) return Chosen{message.name, false};
  if (message.method != Method::completion_complete) return Chosen{message.uri, true};
  const auto ref = json::member(message.params, "ref");  // MCP, Completion: a prompt by name, a template by uri
  if (!ref || !json::is_object(*ref)) return fail(Code::invalid_params, "params.ref is missing");
  for (const std::string_view key : {"name", "uri"}) {
    const auto raw = json::member(*ref, key);
    if (!raw || !json::is_string(*raw)) continue;
    SP_TRY(auto text, json::decode_string(*raw));
    return Chosen{std::move(text), key == "uri"};
  }
  return fail(Code::invalid_params, "params.ref has neither name nor uri");
}

// A registered tool that is bound to an upstream's is from here on that one, in the evidence and in its limits too. decide()
// has judged both names.
Result<void> follow_binding(Flow& f) {
  if (!f.tool->registration || f.tool->registration->endpoint) return {};
  const Catalogue& catalogue = *f.snapshot->catalogue;
  if (!can_be_called(catalogue, *f.tool)) {
    f.say = "The tool " + f.tool->name + " is a catalogue entry: it is bound to nothing that could be called";
    return fail(Code::conflict, f.say);
  }
  const Registration& bound = *f.tool->registration;
  f.record.evidence = "called as " + f.tool->server + "/" + f.tool->name;
  f.called_as = std::exchange(f.tool, find_tool(catalogue, bound.bound_server, bound.bound_tool));
  f.server = server_of(catalogue, f.tool->server);
  return {};
}

std::optional<ArgumentFault> fault_in_arguments(const Flow& f, const ToolRecord& tool) {
  if (f.arguments_document) return validate_arguments(tool, f.arguments_document->root());
  const auto& arguments = f.message->arguments_value;
  return arguments ? validate_arguments(tool, *arguments) : validate_no_arguments(tool);
}

}  // namespace

// Whoever asks, the operator at the machine too: a policy knows who it is that it limits.
Result<void> admit_obliged(Flow& f, const Worker& w, std::uint32_t most, const std::string& what) {
  const rate::Verdict verdict = w.admission.obliged(most, f.principal->id, what, w.fleet.clock.steady());
  if (!f.verdict || !verdict.allow || verdict.remaining < f.verdict->remaining) f.verdict = verdict;
  if (verdict.allow) return {};
  return fail(Code::rate_limited, "a policy's limit for " + what);
}

Result<void> Pipeline::authorize(Flow& f) {
  f.enter(Stage::authorization);
  if (!f.message) return authorize_call(f);  // REST, CLI: always a tool call
  if (f.message->kind != mcp::Kind::request) return {};
  if (!mcp::is_of_era(f.message->method, is_modern(f.revision))) return fail(Code::method_not_found, f.message->method_name);
  if (f.message->method == Method::tools_call) return authorize_call(f);
  if (is_of_server(f.message->method)) return authorize_server(f);
  if (opens(f.message->method) && !f.scope.empty() && !w_.authorization.enters(asker(f))) {
    return fail(Code::not_found, "no such server, or none for this caller");
  }
  return {};  // initialize, ping, levels: identity is enough; lists are filtered item by item by the same decide()
}

Result<void> Pipeline::authorize_call(Flow& f) {
  f.record.event_type = audit::kToolExecution;
  f.record.action = "call";
  if (f.message) {
    f.target = f.message->name;
    f.arguments = f.message->arguments;
  }
  f.record.tool = f.target;
  f.record.server = f.scope;
  ToolAccess access = w_.authorization.call(asker(f), f.target, f.arguments);
  if (!access.decision.allow) {
    f.record.set(access.decision);
    const Error error = to_error(access.decision);
    if (error.code == Code::access_denied) f.say = "Access denied: " + access.decision.reason;
    if (error.code == Code::unknown_tool) f.say = "Unknown tool: " + f.target;
    return fail(error);
  }
  f.record.rule_id = access.decision.rule_id;
  f.obligations = std::move(access.decision.obligations);
  f.server = std::move(access.server);
  f.tool = std::move(access.tool);
  SP_CHECK(follow_binding(f));
  f.target = f.tool->name;
  f.record.tool = f.tool->name;
  f.record.server = f.server->name;
  f.touches_upstream = true;
  return {};
}

Result<ChosenTarget> chosen_target(const Flow& f) {
  SP_TRY(const Chosen chosen, chosen_by(*f.message));
  const Catalogue& catalogue = *f.snapshot->catalogue;
  std::optional<mcp::Target> target;
  if (!f.scope.empty()) {
    const auto server = catalogue.servers.find(f.scope);
    if (server != catalogue.servers.end() && server->second->enabled) target = mcp::Target{server->second, chosen.text};
  } else {
    target = chosen.is_uri ? mcp::resolve_uri(catalogue, chosen.text) : mcp::resolve_name(catalogue, chosen.text);
  }
  if (!target) return ChosenTarget{nullptr, {}, chosen.text, {}};
  std::string arguments = mcp::decided_params(*f.message, target->name);
  return ChosenTarget{std::move(target->server), std::move(target->name), chosen.text, std::move(arguments)};
}

Result<void> Pipeline::authorize_server(Flow& f) {
  f.record.event_type = f.message->method_name;
  f.record.action = "read";
  SP_TRY(ChosenTarget target, chosen_target(f));
  const Decision decision = w_.authorization.server_call(asker(f), target.server.get(), target.call(f));
  f.record.tool = target.chosen;
  if (!decision.allow) {
    f.record.set(decision);
    Error error = to_error(decision);
    if (error.code == Code::unknown_tool) error.code = Code::not_found;
    if (error.code == Code::access_denied) f.say = "Access denied: " + decision.reason;
    return fail(std::move(error));
  }
  f.record.rule_id = decision.rule_id;
  f.obligations = decision.obligations;
  f.server = std::move(target.server);
  f.target = std::move(target.name);
  f.arguments = std::move(target.arguments);
  f.record.server = f.server->name;
  f.touches_upstream = true;
  return {};
}

Result<void> Pipeline::admit_principal(Flow& f) {
  f.enter(Stage::principal_admission);
  std::string tool_id;
  if (f.tool) tool_id = f.tool->server + "/" + f.tool->name;
  if (f.channel != Channel::local) {
    f.verdict =
        w_.admission.principal(*f.snapshot->limits, f.limit_class, f.principal->id, tool_id, fleet_.clock.steady());
    if (!f.verdict->allow) return fail(Code::rate_limited, f.limit_class);
  }
  if (!f.obligations || !f.obligations->calls_per_minute) return {};
  return admit_obliged(f, w_, *f.obligations->calls_per_minute, f.tool ? tool_id : f.server->name);
}

Result<void> Pipeline::validate(Flow& f) {
  f.enter(Stage::validation);
  if (!f.tool) return {};
  SP_CHECK(check_param_headers(f));
  auto fault = f.called_as ? fault_in_arguments(f, *f.called_as) : std::nullopt;
  if (!fault) fault = fault_in_arguments(f, *f.tool);
  if (!fault) return {};
  f.say = "Invalid arguments" + (fault->path.empty() ? "" : " at " + fault->path) + ": " + fault->message;
  f.data = R"({"path":)";
  json::append_string(f.data, fault->path);
  f.data += "}";
  return fail(Code::invalid_arguments, fault->path + " " + fault->message);
}

}  // namespace sallyport
