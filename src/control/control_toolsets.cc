// Toolsets: a choice of tools with a URL of its own.
#include "control/control_plane.h"

namespace sallyport::control {
namespace {

constexpr std::size_t kToolsetsMax = 1'000;
constexpr std::size_t kEntriesMax = 1'000;
constexpr std::size_t kDescriptionMax = 16U << 10;

// A tool must be there when it is named; one that goes later is not shown until it is back.
Result<void> check_toolset(const Catalogue& catalogue, const Toolset& set) {
  if (!is_server_name(set.name)) {
    return fail(Code::validation, "a toolset's name starts with a lower-case letter and has 1 to 32 of [a-z0-9-]");
  }
  if (set.description.size() > kDescriptionMax) return fail(Code::validation, "description: at most 16 KiB");
  if (set.tools.size() > kEntriesMax) return fail(Code::validation, "tools: at most 1000");
  for (const auto& [name, entry] : set.tools) {
    const std::string id = entry.server + "/" + entry.tool;
    if (!is_callable_name(name)) {
      return fail(Code::validation,
                  id + " cannot be shown as \"" + name + "\": 1 to 128 of A-Z a-z 0-9 _ . - (MCP, tools)");
    }
    if (entry.description.size() > kDescriptionMax) return fail(Code::validation, id + ": description: at most 16 KiB");
    if (!tool_of(catalogue, entry.server, entry.tool)) return fail(Code::validation, "there is no tool " + id);
  }
  return {};
}

}  // namespace

Task<Result<ToolsetPtr>> ControlPlane::put_toolset(Toolset toolset, bool fresh) {
  const auto known = toolsets_.find(toolset.name);
  if (fresh && known != toolsets_.end()) co_return fail(Code::already_exists, "toolset " + toolset.name + " is there");
  if (!fresh && known == toolsets_.end()) co_return fail(Code::not_found, "no toolset " + toolset.name);
  if (fresh && toolsets_.size() >= kToolsetsMax) co_return fail(Code::limit, "at most 1000 toolsets");
  SP_CO_CHECK(check_toolset(*snapshot_->catalogue, toolset));
  toolset.created_at = fresh ? deps_.clock.wall() : known->second->created_at;
  SP_CO_CHECK(deps_.repository.put_toolset(toolset));
  const auto made = std::make_shared<const Toolset>(std::move(toolset));
  toolsets_[made->name] = made;
  Snapshot next = *snapshot_;
  next.catalogue = catalogue();
  SP_CO_CHECK(co_await publish(std::move(next)));
  co_return made;
}

Task<Result<void>> ControlPlane::delete_toolset(std::string name) {
  if (!toolsets_.contains(name)) co_return fail(Code::not_found, "no toolset " + name);
  SP_CO_CHECK(deps_.repository.delete_toolset(name));
  toolsets_.erase(name);
  Snapshot next = *snapshot_;
  next.catalogue = catalogue();
  co_return co_await publish(std::move(next));
}

}  // namespace sallyport::control
