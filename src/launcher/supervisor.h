// The process between the launcher and one server: the server's parent and subreaper, so that whatever the server leaves
// behind has one known ancestor. It kills all of it when the server ends, when the launcher says so, and when the launcher
// dies (parent-death signal). One thread; forked by the launcher process; never returns.
#pragma once

#include <signal.h>

#include <array>
#include <string>

#include "launcher/fd.h"
#include "launcher/launch_spec.h"
#include "launcher/view.h"

namespace sallyport::launcher {

inline constexpr int kSignalTerminate = SIGTERM;  // to the supervisor: SIGTERM to every process of the server
inline constexpr int kSignalKill = SIGUSR1;       // to the supervisor: SIGKILL to every process of the server

struct Assignment {
  LaunchSpec spec;
  View view;
  Confinement confinement = Confinement::rlimits;
  std::string bwrap;
  std::string seccomp;         // filter for this spec; empty where libseccomp failed in Sandbox::fallback
  std::string private_folder;  // HOME without namespaces
  std::array<Fd, 3> stdio;
};

// What the supervisor writes to its status pipe; each is one write of kStatusBytes.
struct Status {
  enum class Kind : std::int32_t { started = 1, failed, exited };
  Kind kind = Kind::started;
  std::int32_t pid = 0;    // started
  std::int32_t value = 0;  // failed: errno; exited: the status of waitpid(2)
  char step[52] = {};      // failed: what could not be done
};

// Runs the assignment in this (just forked) process. `status` is the write end of the launcher's pipe.
[[noreturn]] void supervise(Assignment assignment, Fd status);

// In the server's own process: descriptors, limits, confinement, exec. Returns only if that failed: what, with errno set.
const char* become_server(Assignment& assignment, int error_pipe);

}  // namespace sallyport::launcher
