// The book of who called which tool when last, kept in the store and written behind (S2-38). Owned by app; every call on the
// control executor, but for add() and write() while no worker runs.
#pragma once

#include <optional>
#include <vector>

#include "control/repository.h"
#include "core/task.h"
#include "model/access_uses.h"

namespace sallyport::control {

class AccessBook {
 public:
  explicit AccessBook(Repository& repository) : repository_(repository) {}

  // What workers noted since the last time. Kept until write() has succeeded.
  void add(const std::vector<AccessUse>& uses);
  Result<void> write();

  // Each with its last use and how often in all; the epoch and 0 where it was never called.
  Task<Result<std::vector<AccessUse>>> look_up(std::vector<AccessUse> wanted);
  // Uses before were not written down.
  Task<Result<WallTime>> since();

 private:
  Repository& repository_;
  AccessUses pending_;
};

}  // namespace sallyport::control
