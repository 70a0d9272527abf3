// Which process stands behind the admin socket. Any thread.
#pragma once

#include <sys/types.h>

namespace sallyport {

// Is `ancestor` above `pid` in the tree of processes? True as well for a process that cannot be found
// (fail closed): it has ended, or lives in another PID namespace.
bool descends_from(pid_t pid, pid_t ancestor);

}  // namespace sallyport
