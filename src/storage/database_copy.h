// Copies of the database for backups (control/backup). With connections of their own: the storage thread's go on meanwhile. Any
// thread; blocking.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sallyport::storage {

// The database at `from` as it is at one moment, into the new file `to` (0600), by SQLite's online backup: others may write to it
// meanwhile, and are not in the copy. The copy has no files beside it. `go_on` is asked every MiB or so: false ends it with
// Code::cancelled. Memory: SQLite's page cache. Errors: storage, io.
Result<void> copy_database(const std::string& from, const std::string& to, const std::function<bool()>& go_on);

// Is the database at `path` one that this program can take up: its own, whole (integrity_check), without rows that refer to what is
// not there, of a schema version that is known? Nothing in it is changed. The version; errors: storage, naming what is wrong.
Result<int> check_database(const std::string& path);

// Each data key that rows of the database at `path` keep wrapped, as they keep it (bytes). Nothing is changed.
Result<void> each_wrapped_key(const std::string& path, const std::function<void(std::string_view wrapped)>& take);

}  // namespace sallyport::storage
