// How often keys and tools were used, written behind.
#include "control/control_plane.h"

namespace sallyport::control {
namespace {

using Seen = std::vector<std::pair<Usage*, std::uint64_t>>;

// Adds to `uses` what the store does not know yet: when last, and how often in all.
template <class Use>
void add_unwritten(std::vector<Use>& uses, Seen& seen, Usage& usage, Use what) {
  what.count = usage.count.load(std::memory_order_relaxed);
  if (what.count == usage.written) return;
  what.at = WallTime(std::chrono::microseconds(usage.last.load(std::memory_order_relaxed)));
  seen.emplace_back(&usage, what.count);
  uses.push_back(std::move(what));
}

}  // namespace

Result<void> ControlPlane::write_uses() {
  Seen seen;
  std::vector<KeyUse> keys;
  for (const auto& [id, key] : snapshot_->principals->keys) add_unwritten(keys, seen, *key->usage, {id});
  std::vector<ToolUse> tools;
  for (const auto& [server, records] : tools_) {
    for (const ToolRecord& tool : records) add_unwritten(tools, seen, *tool.usage, {server, tool.name});
  }
  if (!keys.empty()) SP_CHECK(deps_.repository.touch_keys(keys));
  if (!tools.empty()) SP_CHECK(deps_.repository.touch_tools(tools));
  for (const auto& [usage, count] : seen)
    usage->written = count;  // after an error all of it again: neither moves backwards
  return {};
}

}  // namespace sallyport::control
