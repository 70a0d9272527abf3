// Versions of the policies in the database. Internal to storage; within the caller's transaction.
#pragma once

#include <cstdint>

#include "control/repository.h"
#include "storage/sqlite.h"

namespace sallyport::storage {

Result<void> write_policies(Sqlite& db, const control::PolicyWrite& write);
Result<control::PolicyModules> policy_modules(Sqlite& db, std::uint64_t version);
Result<void> load_policies(Sqlite& db, control::StoredState& state);

}  // namespace sallyport::storage
