// The system calls a server may make: an allow-list, everything else answers ENOSYS (so that programs take their
// fallback instead of dying). Wide enough for sh, Node, Python; no mount, ptrace, bpf, keyring, io_uring, module, clock
// or namespace call. Built once by the launcher process; the only caller of libseccomp.
#pragma once

#include <string>

#include "core/result.h"

namespace sallyport::launcher {

// The filter as an array of struct sock_filter (what bubblewrap --seccomp and prctl(PR_SET_SECCOMP) take). Without
// `network` socket() makes AF_UNIX sockets only. Code::internal if libseccomp fails.
Result<std::string> build_seccomp_filter(bool network);

}  // namespace sallyport::launcher
