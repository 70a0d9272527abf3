// By what a set of policies is known again: its names and sources, in whatever order the files come. Any thread.
#pragma once

#include <string>

#include "control/policy_store.h"

namespace sallyport::control {

std::string digest_of_policies(PolicyModules modules);  // SHA-256, hex

}  // namespace sallyport::control
