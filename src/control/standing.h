// Does a caller still stand? What a request asks for may wait (for the control executor, a password's hash, a probe), and
// its caller may have been removed, disabled or logged out meanwhile. Plain function.
#pragma once

#include "core/result.h"
#include "model/snapshot.h"

namespace sallyport::control {

// To be asked on the control executor right before a change, with its newest snapshot. Code::unauthenticated: the user or key is
// gone, disabled or expired, the login session has ended, or the token was revoked; Code::access_denied: a role that the
// request came with was taken away. The operator at the machine always stands.
Result<void> still_stands(const Snapshot& newest, const Principal& caller, WallTime now);

}  // namespace sallyport::control
