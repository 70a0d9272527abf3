// Servers in SQLite. Internal to storage.
#pragma once

#include "model/server.h"
#include "storage/sqlite.h"

namespace sallyport::storage {

Result<void> put_server(Sqlite& db, const ServerRecord& server);  // in the caller's transaction

}  // namespace sallyport::storage
