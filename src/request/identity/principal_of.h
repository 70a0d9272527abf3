// The Principal that a record becomes when its credential is shown: in one place, so that whoever asks what somebody may do
// (`policy explain`) asks about the very same. Pure; any thread.
#pragma once

#include <cstdint>
#include <memory>

#include "core/result.h"
#include "model/principal.h"

namespace sallyport {

// `secret`: number of the key's secret that was shown. A key without roles is an agent (ruling C6).
std::shared_ptr<Principal> principal_of(const std::shared_ptr<const KeyRecord>& key, std::uint32_t secret);

// Without what its token says. Roles are the record's and its groups', never the token's: one taken away is gone at the next
// request.
std::shared_ptr<Principal> principal_of(const UserRecord& user, const Principals& all);

// Would a credential of that record be accepted at all? Code::unauthenticated; the detail begins with the reason for the audit.
Result<void> check_key(const Principals& principals, const KeyRecord& record, WallTime now);

}  // namespace sallyport
