#include "model/access_uses.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace sallyport {

std::size_t AccessUses::Hash::operator()(const Name& name) const noexcept {
  const std::hash<std::string_view> hash;
  return std::rotl(std::rotl(hash(name.principal), 21) ^ hash(name.server), 21) ^ hash(name.tool);
}

void AccessUses::add(std::string_view principal, std::string_view server, std::string_view tool, WallTime last,
                     std::uint64_t count) {
  auto found = uses_.find(Name{principal, server, tool});
  if (found == uses_.end()) {
    if (uses_.size() >= kPairsMax) return;
    found = uses_.emplace(Key{std::string(principal), std::string(server), std::string(tool)}, Use{}).first;
  }
  found->second.last = std::max(found->second.last, last);
  found->second.count += count;
}

std::vector<AccessUse> AccessUses::take() {
  std::vector<AccessUse> out;
  out.reserve(uses_.size());
  for (const auto& [key, use] : std::exchange(uses_, {})) {
    out.push_back({key.principal, key.server, key.tool, use.last, use.count});
  }
  return out;
}

}  // namespace sallyport
