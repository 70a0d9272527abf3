// What Accounts and SecondFactors need of the rest of the control plane; `app` gives it.
#pragma once

#include "core/task.h"
#include "model/snapshot.h"

namespace sallyport::control {

class AccountStore {
 public:
  virtual ~AccountStore() = default;
  virtual SnapshotPtr snapshot() const = 0;
  // Returns after the record is durable and every worker decides by it (design, principle 3). The store's own view has
  // changed before the first wait: between snapshot() and save() without a co_await nothing can come.
  virtual Task<Result<void>> save(UserRecord user) = 0;
};

}  // namespace sallyport::control
