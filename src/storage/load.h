// Reads everything at start. Internal to storage.
#pragma once

#include "control/repository.h"
#include "storage/sqlite.h"

namespace sallyport::storage {

inline std::int64_t to_micros(WallTime time) noexcept { return time.time_since_epoch().count(); }
inline WallTime from_micros(std::int64_t micros) noexcept { return WallTime(std::chrono::microseconds(micros)); }

Result<control::StoredState> load_state(Sqlite& db);

}  // namespace sallyport::storage
