// The launcher process itself: one thread, one poll loop over the control socket, SIGCHLD and a status pipe a child. It
// does only what the gateway asks for on the socket, and ends, with everything it started, when the socket does.
#pragma once

#include "launcher/fd.h"
#include "launcher/launcher.h"

namespace sallyport::launcher {

// Runs in the process that fork_now forked.
[[noreturn]] void run_launcher_process(Fd control, const Options& options);

}  // namespace sallyport::launcher
