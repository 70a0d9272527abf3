// Who called which tool, when last and how often: what an access review shows beside a right (S2-38). Each worker notes into
// one of its own, on its thread, without a lock; the control plane takes what came together every few seconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/clock.h"

namespace sallyport {

struct AccessUse {
  std::string principal;  // Principal::id
  std::string server;
  std::string tool;
  WallTime last{};  // epoch: never
  std::uint64_t count = 0;  // since it was taken before; in all, where it comes from the store
};

class AccessUses {
 public:
  static constexpr std::size_t kPairsMax = 20'000;  // between two takings; what is new beyond is not noted

  void note(std::string_view principal, std::string_view server, std::string_view tool, WallTime now) {
    add(principal, server, tool, now, 1);
  }
  void add(std::string_view principal, std::string_view server, std::string_view tool, WallTime last,
           std::uint64_t count);
  [[nodiscard]] bool empty() const noexcept { return uses_.empty(); }
  // All of them; nothing is left.
  std::vector<AccessUse> take();

 private:
  struct Name {
    std::string_view principal, server, tool;
    friend bool operator==(const Name&, const Name&) = default;
  };
  struct Key {
    std::string principal, server, tool;
    [[nodiscard]] Name name() const noexcept { return {principal, server, tool}; }
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Name& name) const noexcept;
    std::size_t operator()(const Key& key) const noexcept { return (*this)(key.name()); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Key& a, const Key& b) const noexcept { return a.name() == b.name(); }
    bool operator()(const Key& a, const Name& b) const noexcept { return a.name() == b; }
    bool operator()(const Name& a, const Key& b) const noexcept { return a == b.name(); }
  };
  struct Use {
    WallTime last{};
    std::uint64_t count = 0;
  };
  std::unordered_map<Key, Use, Hash, Equal> uses_;
};

}  // namespace sallyport
