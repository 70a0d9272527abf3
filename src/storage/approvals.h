// Approvals in SQLite. Internal to storage.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "control/approvals.h"
#include "storage/sqlite.h"

namespace sallyport::storage {

Result<std::vector<control::StoredApproval>> load_approvals(Sqlite& db);  // oldest first
Result<void> put_approval(Sqlite& db, const control::StoredApproval& approval);
Result<void> delete_approvals(Sqlite& db, std::span<const std::string> ids);  // in the caller's transaction

}  // namespace sallyport::storage
