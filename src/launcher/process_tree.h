// Who descends from whom, read from /proc. Linux only.
#pragma once

#include <sys/types.h>

#include <vector>

namespace sallyport::launcher {

// Every living descendant of `root` (zombies left out), parents before children. A snapshot: repeat until it is empty.
std::vector<pid_t> descendants_of(pid_t root);
// The living direct children of `root`.
std::vector<pid_t> children_of(pid_t root);

// SIGKILL to every descendant of the calling process, reaping, until none is left or about 10 s have passed (a process
// in uninterruptible sleep). Those that daemonized are included if the caller is a subreaper.
void kill_descendants() noexcept;

}  // namespace sallyport::launcher
