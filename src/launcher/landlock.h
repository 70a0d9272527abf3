// The fallback where namespaces are denied: Landlock (Linux 5.13 and later) shows the calling process and its
// descendants the same files as bubblewrap would, and with newer kernels denies TCP, signals and abstract sockets to the
// outside. Called in the child between fork and exec, single-threaded. Limits: no PID or network namespace; UDP is cut by
// the seccomp filter (AF_UNIX only).
#pragma once

#include "core/result.h"
#include "launcher/view.h"

namespace sallyport::launcher {

// The kernel's Landlock version, 0 where there is none.
int landlock_version() noexcept;

// Restricts this process. `private_folder` is its writable HOME. Needs no_new_privs. Code::io where the kernel refuses.
Result<void> landlock_self(const View& view, const std::string& private_folder, bool network);

}  // namespace sallyport::launcher
