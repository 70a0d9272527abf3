// What a policy binds its yes to, read from the JSON of its rule `obligations`. Internal to engines/decide; pure.
#pragma once

#include <memory>
#include <string_view>

#include "core/decision.h"
#include "core/result.h"

namespace sallyport::decide_internal {

using ObligationsPtr = std::shared_ptr<const Obligations>;

// `json`: one object, or an array of them, of {"redact": ["name", ...], "require_approval": bool, "log_full": bool,
// "calls_per_minute": 1..4294967295}. Those of several objects hold together: names unite, the lowest limit wins. Null
// where they bind to nothing. Error: Code::internal for whatever is not understood, naming it; the caller denies.
Result<ObligationsPtr> read_obligations(std::string_view json);

// What binds when both hold; either may be null.
ObligationsPtr unite(const ObligationsPtr& a, const ObligationsPtr& b);

}  // namespace sallyport::decide_internal
