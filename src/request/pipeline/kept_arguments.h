// What of a call's arguments is kept for a replay (engines/decide/recorder.h).
#pragma once

#include <string>
#include <string_view>

#include "core/decision.h"
#include "request/audit/redact.h"

namespace sallyport {

// Without what the audit takes for a secret, and without the members that the call's obligation `redact` names: whoever may not see
// them in the result shall not see them in the record. `binds` may be null.
std::string kept_arguments(const audit::Redactor& redactor, std::string_view arguments, const Obligations* binds);

// The same for DeciderSettings::hide; `redactor` outlives it.
inline auto hiding(const audit::Redactor& redactor) {
  return [&redactor](std::string_view arguments, const Obligations* binds) {
    return kept_arguments(redactor, arguments, binds);
  };
}

}  // namespace sallyport
