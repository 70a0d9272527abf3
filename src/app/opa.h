// The OPA server of the settings: where it is, and whether it answers.
#pragma once

#include <optional>

#include "config/config.h"
#include "request/authorization/opa_client.h"

namespace sallyport::app {

// None with embedded policies. Errors: config (the token cannot be read, the address is refused).
Result<std::optional<OpaSettings>> opa_of(const config::Settings& settings, const config::Environment& environment);
// Asks it for both packages and waits, at most twice its timeout; for `doctor`.
Result<void> try_opa(const OpaSettings& settings);

}  // namespace sallyport::app
