// Where decisions ask policies that are not evaluated in the process: an OPA server (docs/decisions/0011-opa-server.md).
// decide() never waits, so a source answers with what it knows by now; what it does not know is an error, which denies. Made
// and owned by who can wait. One a request, that worker's thread only.
#pragma once

#include <optional>
#include <string_view>

#include "core/result.h"
#include "engines/decide/decide.h"
#include "engines/policy/policy.h"

namespace sallyport {

// Both documents are one JSON object each, read and found well-formed, with the arguments under "arguments".
struct PolicyQuestion {
  std::string_view package;  // "tool_access", "admin_access"
  std::string_view input;  // what the policy is asked with
  std::string_view
      timeless;  // the same without what changes by itself: two questions with the same one may share an answer
};

class PolicySource {
 public:
  virtual ~PolicySource() = default;
  // Error: not known (yet), or asked and failed.
  virtual Result<policy::PolicyAnswer> ask(const PolicyQuestion& question) = 0;
};

namespace decide_internal {

class Caller;

struct Asked {
  const AccessRequest& request;
  PermissionSet held;
  std::optional<std::string_view> arguments;
  Caller& caller;  // resolved for the principal of `request`
};

// Writes the question and asks `source`. Error: the arguments are no JSON object, a name is not UTF-8; those of the source.
Result<policy::PolicyAnswer> ask_elsewhere(PolicySource& source, std::string_view package, const Snapshot& snapshot,
                                           const Asked& asked);

}  // namespace decide_internal
}  // namespace sallyport
