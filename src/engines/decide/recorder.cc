#include "engines/decide/recorder.h"

#include <array>
#include <bit>

#include "crypto/short_hash.h"
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

// A member that is added to the input tells two questions apart, so it is added here as well.
static_assert(policy::kFieldPaths.size() == 25);

void add(std::string& out, std::uint64_t number) {
  const auto bytes = std::bit_cast<std::array<char, sizeof number>>(number);
  out.append(bytes.data(), bytes.size());
}

// With its length before it, so that no text reads as two others.
void add(std::string& out, std::string_view text) {
  add(out, std::uint64_t{text.size()});
  out += text;
}

void add(std::string& out, const std::vector<std::string>& texts) {
  add(out, std::uint64_t{texts.size()});
  for (const std::string& text : texts) add(out, text);
}

// What the server says of its tool counts by its digest.
void add(std::string& out, const ToolRecord& tool) {
  add(out, tool.server);
  add(out, tool.name);
  add(out, static_cast<std::uint64_t>(tool.security_level));
  add(out, tool.required);
  add(out, tool.labels);
  add(out, tool.registration ? 1U : 0U);
  add(out, tool.digest);
}

void add(std::string& out, const ServerRecord& server) {
  add(out, server.name);
  add(out, static_cast<std::uint64_t>(server.security_level));
  add(out, server.required);
  add(out, server.labels);
}

}  // namespace

RecordKey new_record_key(Random& random) noexcept {
  RecordKey key{};
  random.fill(key);
  return key;
}

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
    caller_.resolve(snapshot, request.principal);
    const auto held = rbac::effective_on(request.principal, caller_.held(), server_name(request), tool_name(request),
                                         request.channel);
    const Mark mark = mark_of(snapshot, request, held);
    if (marks_.contains(mark)) return;
    RecordedDecision one;
    one.package = decide_internal::is_tool_action(request.action) ? "tool_access" : "admin_access";
    decide_internal::write_input(snapshot, request, held, policy::Reads{}, one.input, &caller_);
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
    keep(mark, std::move(one));
  } catch (const std::exception&) {
    return;  // no memory for it: it is not recorded
  }
}

// All that the question has but the time: its members themselves, which are sooner gathered than the input is written. What
// follows from others (granted, resource) is left out.
Recorder::Mark Recorder::mark_of(const Snapshot& snapshot, const AccessRequest& request, PermissionSet held) {
  const Principal& principal = request.principal;
  std::string& out = question_;
  out.clear();
  add(out, snapshot.policy->epoch);
  add(out, request.channel == Channel::mcp ? 1U : 0U);
  add(out, static_cast<std::uint64_t>(request.action));
  add(out, principal.id);
  add(out, principal.name);
  add(out, static_cast<std::uint64_t>(principal.kind));
  add(out, caller_.role_names());
  add(out, principal.groups);
  add(out, held.bits());
  decide_internal::each_label(snapshot, request, [&out](std::string_view name) { add(out, name); });
  add(out, ~std::uint64_t{0});  // their end: no text is so long
  add(out, request.tool != nullptr ? 2U : request.server != nullptr ? 1U : 0U);
  if (request.tool != nullptr) add(out, *request.tool);
  else if (request.server != nullptr) add(out, *request.server);
  if (request.tool == nullptr) add(out, request.method);
  add(out, request.remote_address);
  add(out, request.protocol_version);
  add(out, request.arguments_json ? 1U : 0U);
  add(out, request.arguments_json.value_or(std::string_view()));
  return crypto::short_hash(key_, out);
}

void Recorder::keep(const Mark& mark, RecordedDecision one) {
  const std::size_t bytes = kOverhead + one.input.size() + one.why.size() + (one.arguments ? one.arguments->size() : 0);
  if (bytes > bytes_max_) return;
  while (bytes_ + bytes > bytes_max_) {
    bytes_ -= ring_.front().bytes;
    marks_.erase(ring_.front().mark);
    ring_.pop_front();
  }
  bytes_ += bytes;
  marks_.insert(mark);
  ring_.push_back({mark, bytes, std::move(one)});
}

std::vector<RecordedDecision> Recorder::all() const {
  std::vector<RecordedDecision> out;
  for (const Kept& kept : ring_) out.push_back(kept.decision);
  return out;
}

}  // namespace sallyport
