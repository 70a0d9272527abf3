// Groups in the database. Internal to storage; each function is one transaction of its own, but for load_groups.
#pragma once

#include <string_view>

#include "control/repository.h"
#include "storage/sqlite.h"

namespace sallyport::storage {

Result<void> put_group(Sqlite& db, const Group& group);
Result<void> delete_group(Sqlite& db, std::string_view name);
// Reads only; within the caller's transaction.
Result<void> load_groups(Sqlite& db, control::StoredState& state);

}  // namespace sallyport::storage
