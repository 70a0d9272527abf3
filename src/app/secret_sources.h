// The sources of references that ask somebody: ${kv:...} and ${aws:...}, as far as the settings name them. Internal.
#pragma once

#include "config/config.h"
#include "control/secret_resolver.h"
#include "core/task.h"
#include "telemetry/log.h"

namespace sallyport::app {

struct SourceDeps {
  Executor executor;  // the control plane's
  const Clock& clock;
  const config::Settings& settings;
  const config::Environment& environment;
  telemetry::Log& log;
};

// Errors: config (a reference of theirs that does not resolve, a region that is none, credentials that are missing),
// egress_refused (an address).
Result<void> add_remote_sources(control::SecretResolver& resolver, const SourceDeps& deps);

}  // namespace sallyport::app
