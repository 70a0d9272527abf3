#include "request/pipeline/kept_lists.h"

#include <iterator>

namespace sallyport {
namespace {

// With what the containers need for it.
std::size_t bytes_of(std::string_view key, const Offered& offered) {
  constexpr std::size_t kEntry = 256;
  std::size_t bytes = kEntry + key.size();
  for (const auto& of_server : offered.servers) bytes += sizeof(of_server) + of_server.tools.capacity() * sizeof(Offer);
  return bytes;
}

}  // namespace

bool KeptLists::is_newest(const Snapshot& snapshot) const noexcept {
  return snapshot.roles == roles_ && snapshot.catalogue == catalogue_ && snapshot.policy == policy_;
}

void KeptLists::take(const Snapshot& newest) {
  if (is_newest(newest)) return;
  by_key_.clear();
  kept_.clear();
  bytes_ = 0;
  roles_ = newest.roles;
  catalogue_ = newest.catalogue;
  policy_ = newest.policy;
}

OfferedPtr KeptLists::find(const Snapshot& snapshot, std::string_view key) {
  if (!is_newest(snapshot)) return nullptr;
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, found->second);
  return found->second->offered;
}

void KeptLists::keep(const Snapshot& snapshot, std::string key, OfferedPtr offered) {
  const std::size_t bytes = bytes_of(key, *offered);
  if (key.empty() || !is_newest(snapshot) || bytes > bytes_max_ / 4) return;
  if (const auto found = by_key_.find(key); found != by_key_.end()) forget(found->second);
  while (bytes_ + bytes > bytes_max_) forget(std::prev(kept_.end()));
  kept_.push_front({std::move(key), std::move(offered), bytes});
  by_key_.emplace(kept_.front().key, kept_.begin());
  bytes_ += bytes;
}

void KeptLists::forget(std::list<Kept>::iterator which) {
  bytes_ -= which->bytes;
  by_key_.erase(which->key);
  kept_.erase(which);
}

}  // namespace sallyport
