#include "request/pipeline/labels.h"

#include <algorithm>

#include "model/label.h"
#include "model/registration.h"
#include "request/pipeline/upstream_step.h"

namespace sallyport {
namespace {

void add(std::vector<std::string>& out, const std::vector<std::string>& labels) {
  for (const std::string& label : labels) {
    if (!stays_with_tool(label) && std::ranges::find(out, label) == out.end()) out.push_back(label);
  }
}

// The call ends with its labels set, however long it takes; what it says on its way meets them too.
std::chrono::seconds longest(const Flow& f) {
  if (declared_by(f).size() > 2) return kPeopleTake;  // its client can be asked
  return std::chrono::ceil<std::chrono::seconds>(f.server->call_timeout);
}

}  // namespace

std::vector<std::string> labels_due(const Flow& f, const Worker& w) {
  std::vector<std::string> due;
  if (!f.touches_upstream) return due;
  add(due, f.tool ? f.tool->labels : f.server->labels);
  if (f.called_as) add(due, f.called_as->labels);
  if (due.empty() || w.fleet.everywhere.load() < w.snapshot->epoch) return due;
  const auto carried = labels_of(*w.snapshot, f.principal->id);
  if (!carried) return due;
  const auto near_end = longest(f) + w.fleet.settings.label_lifetime / 2;
  std::erase_if(due, [&](const std::string& label) {
    const auto found = carried->find(label);
    return found != carried->end() && found->second.until - f.now > near_end;
  });
  return due;
}

Task<Result<void>> leave_labels(Flow& f, const Fleet& fleet, std::vector<std::string> labels) {
  f.enter(Stage::authorization);
  std::string text;
  for (const std::string& label : labels) text += (text.empty() ? "leaves " : ", ") + label;
  std::string set_by = f.server->name + (f.tool ? "/" + f.tool->name : "");
  auto kept = co_await fleet.leave_labels(f.principal->id, std::move(labels), std::move(set_by), longest(f));
  if (!kept) {
    f.say = "The labels that this call leaves could not be kept, so nothing was called";
    co_return fail(std::move(kept).error());
  }
  if (!f.record.evidence.empty()) f.record.evidence += "; ";
  f.record.evidence += text;
  co_return Result<void>{};
}

std::function<bool()> still_allowed(const Flow& f, Worker& there) {
  const std::string name = f.message->method == mcp::Method::tools_call ? f.message->name : std::string();
  const std::string method = f.message->method_name;
  // A yes that asks for people is none to a call that they have not approved.
  const auto allows = [approved = f.obligations && f.obligations->require_approval](const Decision& decision) {
    return decision.allow && (approved || !decision.obligations || !decision.obligations->require_approval);
  };
  return [allows, &there, snapshot = f.snapshot, principal = f.principal, server = f.server, channel = f.channel,
          scope = f.scope, address = f.address, revision = f.revision, name, method, arguments = f.arguments] {
    const SnapshotPtr newest = there.snapshot;
    if (labels_of(*snapshot, principal->id) == labels_of(*newest, principal->id)) return true;
    const Asker asker{*newest, *principal, channel, scope, address, revision_name(revision), there.fleet.clock.wall()};
    if (!name.empty()) return allows(there.authorization.call(asker, name, arguments).decision);
    const ServerPtr now = server_of(*newest->catalogue, server->name);
    return now && allows(there.authorization.server_call(asker, now.get(), {method, arguments}));
  };
}

}  // namespace sallyport
