// What lists of tools offer, kept by one worker for whoever has the same rights (docs/life-of-a-request.md, Lists): under the key
// that Decider::list_key gives, as long as roles, catalogue and policies are the same. Whatever else a rule can read is in the
// key, so nothing is looked for when it changes. Bounded; who asked longest ago goes first. That worker's thread only.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/snapshot.h"

namespace sallyport {

// One tool of a list, in its catalogue.
struct Offer {
  using Entry = std::pair<const std::string, Toolset::Entry>;
  const ToolRecord* tool = nullptr;
  const Entry* of_toolset = nullptr;  // null: the scope is no toolset
};

struct Offered {
  struct OfServer {
    ServerPtr server;  // that is asked for what it lists; null: nobody is, these are registered ones
    std::vector<Offer> tools;
  };
  std::shared_ptr<const Catalogue> catalogue;
  std::vector<OfServer> servers;  // by name; null last
};
using OfferedPtr = std::shared_ptr<const Offered>;

class KeptLists {
 public:
  static constexpr std::size_t kBytesMax = 16U << 20U;  // about a hundred lists of 10,000 tools
  explicit KeptLists(std::size_t bytes_max = kBytesMax) : bytes_max_(bytes_max) {}

  // Of the worker's newest state: forgets what was decided by other roles, another catalogue or other policies.
  void take(const Snapshot& newest);
  // Null where none is kept. An empty key has none.
  [[nodiscard]] OfferedPtr find(const Snapshot& snapshot, std::string_view key);
  // Passed over: an empty key, a snapshot that is not the newest, and what takes more than a quarter of the room.
  void keep(const Snapshot& snapshot, std::string key, OfferedPtr offered);
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Kept {
    std::string key;
    OfferedPtr offered;
    std::size_t bytes = 0;
  };
  [[nodiscard]] bool is_newest(const Snapshot& snapshot) const noexcept;
  void forget(std::list<Kept>::iterator which);

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::list<Kept> kept_;  // asked for last: first
  std::unordered_map<std::string_view, std::list<Kept>::iterator> by_key_;
  std::shared_ptr<const Roles> roles_;
  std::shared_ptr<const Catalogue> catalogue_;
  std::shared_ptr<const PolicySet> policy_;
};

}  // namespace sallyport
