// The schema, as steps forward. Each runs once, in order, in one transaction with its entry in `migrations`; a step that
// was released is never edited. A database with a newer version than this program knows is refused. Internal.
#pragma once

#include "core/clock.h"
#include "core/result.h"
#include "storage/sqlite.h"

namespace sallyport::storage {

// "SaLp": in the file's header, so that a foreign SQLite database is told from ours.
inline constexpr int kApplicationId = 0x53614C70;

// The schema version; 0: an empty file. Code::storage: another program's, or no version that this program knows.
Result<int> known_version(Sqlite& db);
int newest_version() noexcept;
// Up to the newest. `to`: for tests of what older programs left.
Result<void> migrate(Sqlite& db, WallTime now, int to = newest_version());

}  // namespace sallyport::storage
