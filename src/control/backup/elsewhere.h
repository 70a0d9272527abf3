// A database that the settings place outside of the home's own folder or under another name (storage.url): a restore drafts it
// beside that place before it is decided, and gives it its name after. What was there, its -wal and -shm with it, is kept beside
// it: SQLite would replay them over whatever bears the name. `place` is absolute, `id` the restore's. Internal to control/backup.
#pragma once

#include <string>

#include "core/result.h"

namespace sallyport::backup {

// Its folder is made where it is missing. Code::conflict: something is there, and `force` was not said.
Result<void> check_place(const std::string& place, bool force);

// The database of `scratch`, written and synced beside `place`; nothing that is there is touched. `scratch` notes it, for
// drop_draft(): what is left of a draft whose restore came to nothing.
Result<void> draft_database(const std::string& scratch, const std::string& place, const std::string& id);
Result<void> drop_draft(const std::string& scratch, const std::string& id);

// Where what was there lies afterwards, as a database that opens; its -wal and -shm are named after it.
std::string aside_of_place(const std::string& place, const std::string& id);
// Each step is one rename, and none is done twice: without a draft it is in its place.
Result<void> place_database(const std::string& place, const std::string& id);

}  // namespace sallyport::backup
