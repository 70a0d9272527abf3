// What the CLI cannot do as a client, done by the composition root: serve, init, requests in process, checks.
#pragma once

#include "cli/hooks.h"

namespace sallyport::app {

// `program`: argv[0] of this process.
cli::Hooks make_hooks(std::string program);

}  // namespace sallyport::app
