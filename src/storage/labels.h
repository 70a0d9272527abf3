// What calls left with principals, in the database. Internal to storage; each function is one transaction of its own.
#pragma once

#include <string_view>

#include "control/repository.h"
#include "storage/sqlite.h"

namespace sallyport::storage {

Result<void> put_labels(Sqlite& db, std::string_view holder, const LabelsOfOne& labels);
Result<void> prune_labels(Sqlite& db, WallTime now);
// Reads only; within the caller's transaction.
Result<void> load_labels(Sqlite& db, control::StoredState& state);

}  // namespace sallyport::storage
