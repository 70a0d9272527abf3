// What the settings say that a Snapshot holds: read at the start, and anew by a reload.
#pragma once

#include "config/config.h"
#include "control/policy_shelf.h"
#include "engines/policy/policy.h"
#include "model/snapshot.h"

namespace sallyport::app {

// Limits of the settings as the Snapshot holds them.
Limits limits_of(const config::Settings& settings);
// The *.rego of a folder, by name; none where there is no such folder. Error: it, or a file in it, cannot be read.
Result<std::vector<std::pair<std::string, std::string>>> read_policies(const std::string& folder);
struct FoundPolicies {
  PolicySet set;
  std::optional<std::int64_t> issued_at;  // of a bundle that is signed (bundle::Signature)
};
// Rego of the home's folder or of a bundle, or what ships. An error names file and line, or the package that is missing (a broken
// policy stops the start).
Result<FoundPolicies> policies_of(const config::Settings& settings);
// Both packages are there, and they compile. Code::config says which is missing, or what is wrong and where.
Result<std::shared_ptr<const policy::Compiled>> fit_for_force(const policy::Modules& modules);
// "5 source=folder former=4": what a reading changed, for log and audit; empty: nothing.
std::string reading_text(const control::PolicyReading& reading);
// "nRpKx0wPq3Zt (of-ada): why", for log and audit.
std::string text_of(const KeyRecord& key, std::string_view why);

}  // namespace sallyport::app
