// The document of a package as OPA's data API writes it, {"result": {...}}, read into the answer that the embedded engine
// gives for the same package: the one place that knows both. Pure; any thread.
#pragma once

#include <string_view>

#include "core/result.h"
#include "engines/policy/policy.h"

namespace sallyport::policy {

// Errors: Code::upstream_protocol where it is no such document, or the package is not there (no "result"). `allow` that is
// anything but true is no; `deny` in any form but undefined, false and an empty collection denies (docs/policy.md).
Result<PolicyAnswer> read_answer(std::string_view body);

}  // namespace sallyport::policy
