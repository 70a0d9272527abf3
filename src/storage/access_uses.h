// Who called which tool when, in the database. Internal to storage; each function is one transaction of its own.
#pragma once

#include <span>

#include "model/access_uses.h"
#include "storage/sqlite.h"

namespace sallyport::storage {

inline constexpr std::int64_t kAccessUsesMax = 200'000;  // rows; the pair that was used longest ago goes first

Result<void> add_access_uses(Sqlite& db, std::span<const AccessUse> uses);
Result<void> find_access_uses(Sqlite& db, std::span<AccessUse> wanted);

}  // namespace sallyport::storage
