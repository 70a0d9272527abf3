// Which confinement this machine gives: found by starting /bin/true in the very sandbox that servers get.
#pragma once

#include <string>

#include "core/result.h"
#include "launcher/launcher.h"
#include "launcher/protocol.h"

namespace sallyport::launcher {

struct Filters {
  std::string without_network;
  std::string with_network;
};

// Code::config: Sandbox::require and bubblewrap does not work here. Takes 4 ms, at most 5 s. Launcher process only.
Result<Hello> probe_confinement(const Options& options, const Filters& filters);

}  // namespace sallyport::launcher
