// Whom client certificates stand for, in the database. Internal to storage; each function is one transaction of its own.
#pragma once

#include <string_view>

#include "control/repository.h"
#include "storage/sqlite.h"

namespace sallyport::storage {

Result<void> put_certificate(Sqlite& db, const CertificateMapping& mapping);
Result<void> delete_certificate(Sqlite& db, std::string_view id);
// Reads only; within the caller's transaction.
Result<void> load_certificates(Sqlite& db, control::StoredState& state);

}  // namespace sallyport::storage
