#include "api/access_review.h"

#include "core/slices.h"
#include "engines/rbac/rights.h"
#include "engines/rbac/sources.h"
#include "model/registration.h"

namespace sallyport::api {
namespace {

constexpr std::size_t kPairsMax = 20'000;  // of one request

// A user or a key as it would call, with its duties done and whatever its state: `status` tells that.
struct Subject {
  Principal principal;
  std::string kind, status;
};

Subject subject_of(const UserRecord& user, const Principals& all) {
  Subject out{{}, "user", user.enabled ? "active" : "disabled"};
  out.principal.id = "user:" + user.id;
  out.principal.name = user.name;
  rbac::give_rights(out.principal, user, all);
  return out;
}

Subject subject_of(const KeyRecord& key, const Principals& all, WallTime now) {
  Subject out{{}, "key", "active"};
  out.principal.id = "key:" + key.id;
  out.principal.kind = PrincipalKind::key;
  out.principal.name = key.name;
  rbac::give_rights(out.principal, key);
  const auto owner = all.users.find(key.owner_user_id);
  const bool orphan = !key.owner_user_id.empty() && (owner == all.users.end() || !owner->second->enabled);
  if (orphan) out.status = "owner_disabled";
  if (key.expires_at && *key.expires_at <= now) out.status = "expired";
  if (!key.enabled) out.status = "disabled";
  return out;
}

// The first at `id` or, where it is gone or `behind` is set, behind it. An empty id is before all.
std::optional<Subject> subject_at(const Principals& all, std::string_view id, bool behind, WallTime now) {
  const bool key = id.starts_with("key:");
  const std::string_view bare = id.substr(id.empty() ? 0 : id.find(':') + 1);
  if (!key) {
    const auto user = behind && !id.empty() ? all.users.upper_bound(bare) : all.users.lower_bound(bare);
    if (user != all.users.end()) return subject_of(*user->second, all);
  }
  const std::string_view from = key ? bare : std::string_view();
  const auto found = behind && key ? all.keys.upper_bound(from) : all.keys.lower_bound(from);
  if (found == all.keys.end()) return std::nullopt;
  return subject_of(*found->second, all, now);
}

// The first tool behind `server`/`tool` (empty: the first of all), of `only` where that is not empty.
ToolPtr tool_behind(const Catalogue& catalogue, const std::string& only, const std::string& server,
                    const std::string& tool) {
  auto at = server.empty() ? (only.empty() ? catalogue.tools.begin() : catalogue.tools.find(only))
                           : catalogue.tools.lower_bound(server);
  for (; at != catalogue.tools.end(); ++at) {
    if (!only.empty() && at->first != only) return nullptr;
    const auto found = at->first == server ? at->second.upper_bound(tool) : at->second.begin();
    if (found != at->second.end()) return found->second;
  }
  return nullptr;
}

bool callable(const ToolRecord& tool, const ServerRecord* server) {
  if (!tool.enabled || tool.input == nullptr) return false;
  if (tool.registration) return tool.registration->bound();
  return server != nullptr && server->enabled;
}

class Reviewer {
 public:
  Reviewer(Call& call, ReviewWanted wanted)
      : call_(call), wanted_(std::move(wanted)), snapshot_(*call.request.snapshot), at_(wanted_.after) {}

  Task<Review> run() {
    Slices slices(call_.api.deps().clock, co_await asio::this_coro::executor);
    for (auto who = first(); who; who = next(*who)) {
      while (const ToolPtr tool = next_tool()) {
        if (out_.decided == kPairsMax || out_.rows.size() == wanted_.rows_max) {
          out_.next = at_;
          co_return std::move(out_);
        }
        at_ = {who->principal.id, tool->server, tool->name};
        co_await ask_beforehand(*who, *tool);
        look_at(*who, *tool);
        if (slices.over()) co_await slices.next();
      }
      if (slices.over()) co_await slices.next();
      at_ = {who->principal.id, {}, {}};
    }
    co_return std::move(out_);
  }

 private:
  // Where an OPA server has the policies; what is rehearsed counts for nothing.
  Task<void> ask_beforehand(const Subject& who, const ToolRecord& tool) {
    const auto undecided = out_.undecided;
    const ServerPtr server = server_of(*snapshot_.catalogue, tool.server);
    co_await prepare(call_, [&] {
      if (!callable(tool, server.get())) return;
      (void)allowed(who, tool, server.get(), Channel::mcp);
      (void)allowed(who, tool, server.get(), Channel::rest);
    });
    out_.undecided = undecided;
  }

  std::optional<Subject> first() {
    const std::string& from = at_.principal.empty() ? wanted_.principal : at_.principal;
    auto who = subject_at(*snapshot_.principals, from, !at_.principal.empty() && at_.server.empty(), call_.request.now);
    if (who && who->principal.id != at_.principal) at_ = {};  // the one of before is gone: the next from its beginning
    return ours(std::move(who));
  }

  std::optional<Subject> next(const Subject& before) {  // at_ is at its end: a page that ends here goes on behind it
    return ours(subject_at(*snapshot_.principals, before.principal.id, true, call_.request.now));
  }

  std::optional<Subject> ours(std::optional<Subject> who) const {
    const bool other = who && !wanted_.principal.empty() && who->principal.id != wanted_.principal;
    return other ? std::nullopt : std::move(who);
  }

  ToolPtr next_tool() const {
    if (wanted_.tool.empty()) return tool_behind(*snapshot_.catalogue, wanted_.server, at_.server, at_.tool);
    if (!at_.server.empty()) return nullptr;
    const auto server = snapshot_.catalogue->tools.find(wanted_.server);
    if (server == snapshot_.catalogue->tools.end()) return nullptr;
    const auto tool = server->second.find(wanted_.tool);
    return tool == server->second.end() ? nullptr : tool->second;
  }

  // The same question as the list of tools asks: nothing is callable that is not listed.
  bool allowed(const Subject& who, const ToolRecord& tool, const ServerRecord* server, Channel channel) {
    AccessRequest access{.principal = who.principal};
    access.channel = channel;
    access.action = Permission::tool_execute;
    access.server = server;
    access.tool = &tool;
    access.phase = Phase::list;
    access.now = call_.request.now;
    const Decision decision = call_.request.decider->decide(snapshot_, access);
    if (decision.rule_id == kRulePolicyError) ++out_.undecided;
    return decision.allow;
  }

  void look_at(const Subject& who, const ToolRecord& tool) {
    ++out_.decided;
    const ServerPtr server = server_of(*snapshot_.catalogue, tool.server);
    if (!callable(tool, server.get()) || !allowed(who, tool, server.get(), Channel::mcp)) return;
    ReviewRow row{at_, who.principal.name, who.kind, who.status, tool.exposed_name, {"mcp"}, {}};
    if (allowed(who, tool, server.get(), Channel::rest)) row.doors.emplace_back("rest");
    for (const auto& source :
         rbac::sources_of(snapshot_, who.principal, Permission::tool_execute, tool.server, tool.name, Channel::mcp)) {
      row.why.push_back(rbac::to_text(source));
    }
    out_.rows.push_back(std::move(row));
  }

  Call& call_;
  ReviewWanted wanted_;
  const Snapshot& snapshot_;
  Pair at_;  // the last that was looked at
  Review out_;
};

}  // namespace

Task<Review> review(Call& call, ReviewWanted wanted) {
  Reviewer reviewer(call, std::move(wanted));
  co_return co_await reviewer.run();
}

}  // namespace sallyport::api
