#include "engines/decide/recorder.h"

#include <bit>
#include <functional>

#include "engines/decide/input.h"
#include "engines/rbac/rbac.h"
#include "json/document.h"
#include "model/registration.h"

namespace sallyport {
namespace {

constexpr std::size_t kOverhead = 256;  // of one that is kept, beside its texts
constexpr std::size_t kReadMax = 64U << 20;
constexpr std::string_view kHidden = " (arguments redacted)";

std::string_view server_name(const AccessRequest& request) {
  if (request.tool != nullptr) return request.tool->server;
  return request.server != nullptr ? std::string_view(request.server->name) : std::string_view();
}

std::string_view tool_name(const AccessRequest& request) {
  return request.tool != nullptr ? std::string_view(request.tool->name) : std::string_view();
}

bool wanted(const AccessRequest& request, const Decision& answer) {
  if (request.phase != Phase::call || request.action == Permission::tool_read) return false;
  if (!std::string_view(answer.rule_id).starts_with("policy.")) return false;  // roles say the same under every policy
  if (request.channel != Channel::mcp && request.action == Permission::tool_execute && !answer.allow) return false;
  const Registration* const bound = request.tool != nullptr ? request.tool->registration.get() : nullptr;
  return bound == nullptr || bound->bound_server.empty();
}

// All that a question has but the time. What the server says of its tool counts by its digest: reading it takes longer.
constexpr policy::Reads kTellsApart = [] {
  policy::Reads some = policy::Reads::nothing();
  for (std::size_t i = 0; i < policy::kFieldPaths.size(); ++i) {
    const auto field = static_cast<policy::Field>(i);
    if (field != policy::Field::time && field != policy::Field::tool_untrusted) some.add(field);
  }
  return some;
}();

// `input`: with kTellsApart.
std::size_t key_of(const Snapshot& snapshot, const AccessRequest& request, std::string_view input) {
  const std::hash<std::string_view> hash;
  std::size_t key = std::hash<std::uint64_t>{}(snapshot.policy->epoch);
  const auto mix = [&](std::string_view text) { key = std::rotl(key, 13) * 0x9e3779b97f4a7c15U ^ hash(text); };
  mix(input);
  mix(request.arguments_json.value_or(std::string_view("none")));
  mix(request.tool != nullptr ? std::string_view(request.tool->digest) : std::string_view());
  mix(request.channel == Channel::mcp ? "mcp" : "other");
  return key;
}

}  // namespace

void write_recorded(json::Writer& w, const RecordedDecision& one) {
  w.object().member("package", one.package).member("version", one.version).member("allow", one.allow);
  w.member("why", one.why).member("principal", one.principal).member("permission", one.permission);
  w.member("server", one.server).member("tool", one.tool).member_raw("input", one.input).key("arguments");
  if (one.arguments) w.raw(*one.arguments);
  else w.null();
  w.end_object();
}

Result<std::vector<RecordedDecision>> read_recorded(std::string_view text) {
  SP_TRY(const json::Document document, json::read_upstream_document(text, {.bytes_max = kReadMax}));
  const auto list = document.root().find("decisions");
  if (!list || !list->is_array())
    return fail(Code::validation, "no recorded decisions: there is no list \"decisions\"");
  std::vector<RecordedDecision> out;
  for (const json::Value item : list->elements()) {
    RecordedDecision one;
    const auto text_at = [&](std::string_view name) { return std::string(item.string_at(name).value_or("")); };
    one.package = text_at("package");
    one.principal = text_at("principal");
    one.permission = text_at("permission");
    one.server = text_at("server");
    one.tool = text_at("tool");
    one.why = text_at("why");
    const auto input = item.find("input");
    const auto allow = item.find("allow").value_or(json::Value()).as_bool();
    if (one.package.empty() || !input || !input->is_object() || !allow) {
      return fail(Code::validation,
                  "recorded decision " + std::to_string(out.size() + 1) + " lacks package, input or allow");
    }
    one.input = input->raw();
    one.allow = *allow;
    one.version = item.find("version").value_or(json::Value()).as_uint64().value_or(0);
    const auto arguments = item.find("arguments").value_or(json::Value());
    if (arguments.is_object()) one.arguments = arguments.raw();
    out.push_back(std::move(one));
  }
  return out;
}

void Recorder::note(const Snapshot& snapshot, const AccessRequest& request, const Decision& answer) noexcept {
  try {
    if (!wanted(request, answer)) return;
    roles_.resolve(snapshot.roles, request.principal);
    const auto held =
        rbac::effective_on(request.principal, roles_, server_name(request), tool_name(request), request.channel);
    decide_internal::write_input(snapshot, request, held, kTellsApart, input_, &roles_);
    const std::size_t key = key_of(snapshot, request, input_);
    if (keys_.contains(key)) return;
    RecordedDecision one;
    one.package = decide_internal::is_tool_action(request.action) ? "tool_access" : "admin_access";
    decide_internal::write_input(snapshot, request, held, policy::Reads{}, one.input, &roles_);
    one.principal = request.principal.id;
    one.permission = name_of(request.action);
    one.server = server_name(request);
    one.tool = tool_name(request);
    one.version = snapshot.policy->version;
    one.allow = answer.allow;
    if (request.arguments_json) {
      one.arguments.emplace(hide_ ? hide_(*request.arguments_json, answer.obligations.get()) : *request.arguments_json);
    }
    const bool hidden = request.arguments_json && *one.arguments != *request.arguments_json;
    one.why = answer.rule_id;
    if (hidden) one.why += kHidden;  // the reason may quote what was hidden
    else if (!answer.reason.empty()) one.why += ": " + answer.reason;
    keep(key, std::move(one));
  } catch (const std::exception&) {
    return;  // no memory for it: it is not recorded
  }
}

void Recorder::keep(std::size_t key, RecordedDecision one) {
  const std::size_t bytes = kOverhead + one.input.size() + one.why.size() + (one.arguments ? one.arguments->size() : 0);
  if (bytes > bytes_max_) return;
  while (bytes_ + bytes > bytes_max_) {
    bytes_ -= ring_.front().bytes;
    keys_.erase(ring_.front().key);
    ring_.pop_front();
  }
  bytes_ += bytes;
  keys_.insert(key);
  ring_.push_back({key, bytes, std::move(one)});
}

std::vector<RecordedDecision> Recorder::all() const {
  std::vector<RecordedDecision> out;
  for (const Kept& kept : ring_) out.push_back(kept.decision);
  return out;
}

}  // namespace sallyport
