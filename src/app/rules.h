// What the settings say that a Snapshot holds: read at the start, and anew by a reload.
#pragma once

#include "config/config.h"
#include "control/policy_shelf.h"
#include "model/snapshot.h"

namespace sallyport::app {

// Limits of the settings as the Snapshot holds them.
Limits limits_of(const config::Settings& settings);
// The *.rego of a folder, by name; none where there is no such folder. Error: it, or a file in it, cannot be read.
Result<std::vector<std::pair<std::string, std::string>>> read_policies(const std::string& folder);
// Rego of the home's folder, or what ships; an error names file and line (a broken policy stops the start).
Result<PolicySet> policies_of(const config::Settings& settings);
// "5 source=folder former=4": what a reading changed, for log and audit; empty: nothing.
std::string reading_text(const control::PolicyReading& reading);

}  // namespace sallyport::app
