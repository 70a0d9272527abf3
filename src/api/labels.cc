// Labels: what is said of servers and tools, what calls have left with principals, and the end of that by people (docs/policy.md).
#include <algorithm>

#include "api/people.h"
#include "api/registry.h"
#include "api/standing.h"

namespace sallyport::api {
namespace {

constexpr std::size_t kReasonMax = 500;

std::string name_of(const Principals& principals, std::string_view holder) {
  const std::string_view id = holder.substr(std::min(holder.find(':') + 1, holder.size()));
  if (holder.starts_with("key:")) {
    const auto key = principals.keys.find(id);
    return key == principals.keys.end() ? "" : key->second->name;
  }
  const auto user = principals.users.find(id);
  return holder.starts_with("user:") && user != principals.users.end() ? user->second->name : "";
}

// "user:ada" is understood too.
std::string holder_called(const Principals& principals, const std::string& who) {
  if (!who.starts_with("user:")) return who;
  const auto id = principals.user_ids.find(std::string_view(who).substr(5));
  return id == principals.user_ids.end() ? who : "user:" + id->second;
}

// The person behind it: of a key its owner, where it has one.
std::string person(const Principals& principals, const std::string& principal) {
  if (!principal.starts_with("key:")) return principal;
  const auto key = principals.keys.find(std::string_view(principal).substr(4));
  const bool owned = key != principals.keys.end() && !key->second->owner_user_id.empty();
  return owned ? "user:" + key->second->owner_user_id : principal;
}

// Nobody takes their own labels away, nor those of their keys; administrators answer for what they do.
bool is_own(const Call& call, const std::string& holder) {
  const Principal& caller = call.principal();
  if (caller.kind == PrincipalKind::local || std::ranges::find(caller.roles, "admin") != caller.roles.end())
    return false;
  const Principals& principals = *call.request.snapshot->principals;
  return person(principals, caller.id) == person(principals, holder);
}

Result<std::string> read_reason(json::Value body) {
  SP_TRY(std::string reason, text_field(body, "reason"));
  const bool printable = std::ranges::none_of(reason, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (reason.empty() || reason.size() > kReasonMax || !printable) {
    return fail(Code::validation, "reason: 1 to 500 printable characters, for the audit");
  }
  return reason;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

RestAnswer noted(RestAnswer answer, std::string_view what, const std::string& id,
                 const std::vector<std::string>& labels) {
  answer.action = "label";
  answer.reason = std::string(what) + "=" + id + " labels=" + joined(labels);
  return answer;
}

}  // namespace

Task<RestAnswer> list_labels(Call& call) {
  const Snapshot& snapshot = *call.request.snapshot;
  std::vector<std::string> items;
  for (const auto& [holder, labels] : *snapshot.labels) {
    for (const auto& [name, label] : *labels) {
      if (label.until <= call.request.now) continue;
      json::Writer w;
      w.object().member("principal", holder).member("name", name_of(*snapshot.principals, holder));
      w.member("label", name).member("set_by", label.set_by).member("until", iso_time(label.until)).end_object();
      items.push_back(w.take());
    }
  }
  co_return co_await list(call, items);
}

Task<RestAnswer> clear_labels(Call& call) {
  auto reason = read_reason(call.root());
  if (!reason) co_return refuse(call, reason.error());
  const std::string holder =
      holder_called(*call.request.snapshot->principals, std::string(call.root().string_at("principal").value_or("")));
  const std::string label(call.root().string_at("label").value_or(""));
  if (is_own(call, holder)) {
    co_return refuse(call, {Code::access_denied, "own labels"}, "Nobody clears their own labels: ask an administrator");
  }
  auto& desk = call.api.deps().control.labels();
  const auto gone = co_await run_for_caller<std::vector<std::string>>(call, desk.clear(holder, label));
  if (!gone) co_return refuse(call, gone.error());
  json::Writer w;
  w.object().member("principal", holder);
  write_texts(w, "cleared", *gone);
  w.end_object();
  RestAnswer answer = ok(w);
  answer.action = "clear_labels";
  answer.reason = "principal=" + holder + " labels=" + joined(*gone) + " reason=" + *reason;
  co_return answer;
}

Task<RestAnswer> label_server(Call& call) {
  auto labels = texts_field(call.root(), "labels");
  if (!labels) co_return refuse(call, labels.error());
  auto& control = call.api.deps().control;
  const auto done = co_await run_for_caller<ServerPtr>(call, control.label_server(call.parts[0], std::move(*labels)));
  if (!done) co_return refuse(call, done.error());
  json::Writer w;
  w.object().member("name", (*done)->name);
  write_texts(w, "labels", (*done)->labels);
  w.end_object();
  co_return noted(ok(w), "server", (*done)->name, (*done)->labels);
}

Task<RestAnswer> label_tool(Call& call) {
  const ToolPtr tool = tool_by_id(call, call.parts[0]);
  co_await prepare(call, [&] { (void)(tool && may_read(call, *tool) && sees_places(call)); });
  if (!tool || !may_read(call, *tool)) co_return refuse(call, {Code::unknown_tool, call.parts[0]});
  auto labels = texts_field(call.root(), "labels");
  if (!labels) co_return refuse(call, labels.error());
  auto& control = call.api.deps().control;
  const auto done =
      co_await run_for_caller<ToolPtr>(call, control.label_tool(tool->server, tool->name, std::move(*labels)));
  if (!done) co_return refuse(call, done.error());
  json::Writer w;
  write_tool(w, call, **done, {.endpoint = sees_places(call), .s1 = by_s1(call)});
  co_return noted(ok(w), "tool", tool->server + "/" + tool->name, (*done)->labels);
}

}  // namespace sallyport::api
