// Decisions remembered by one worker, where the policy reads nothing that changes from call to call. Fixed size, one
// entry a place, the newest wins. An entry counts only when everything the decision was made from is the same: compared,
// not hashed. Internal to engines/decide; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engines/decide/decide.h"

namespace sallyport::decide_internal {

class Memo {
 public:
  // `entries`: rounded up to a power of two; 0: remembers nothing.
  explicit Memo(std::size_t entries);

  // Null where this request was not decided before under this snapshot.
  [[nodiscard]] const Decision* find(const Snapshot& snapshot, const AccessRequest& request) const;
  void store(const Snapshot& snapshot, const AccessRequest& request, const Decision& decision);
  void clear();

 private:
  struct Entry {
    bool used = false;
    bool with_arguments = false;
    std::uint64_t epoch = 0;
    Permission action{};
    Phase phase{};
    Channel channel{};
    Principal principal;
    bool has_object = false;
    std::string server;
    std::string tool;
    int security_level = 0;
    std::vector<std::string> required;
    Decision decision;
  };
  [[nodiscard]] std::size_t place(const AccessRequest& request) const noexcept;
  static bool same_object(const Entry& entry, const AccessRequest& request) noexcept;

  std::vector<Entry> entries_;
};

}  // namespace sallyport::decide_internal
