#include "launcher/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <unordered_map>

namespace sallyport::launcher {
namespace {

// The parent of `pid`, or 0 for a zombie and for one that is gone. proc(5): "pid (comm) state ppid ...", where comm may
// hold anything, a ')' included: read from the last one.
pid_t parent_of(pid_t pid) {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[512];
  const ssize_t got = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (got <= 0) return 0;
  text[got] = '\0';
  const char* end = std::strrchr(text, ')');
  if (end == nullptr || std::strlen(end) < 5 || end[2] == 'Z' || end[2] == 'X') return 0;
  return static_cast<pid_t>(std::strtol(end + 4, nullptr, 10));
}

std::unordered_multimap<pid_t, pid_t> children_by_parent() {
  std::unordered_multimap<pid_t, pid_t> children;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), &::closedir);
  if (!proc) return children;
  while (const dirent* entry = ::readdir(proc.get())) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    const auto pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (const pid_t parent = parent_of(pid); parent > 0) children.emplace(parent, pid);
  }
  return children;
}

}  // namespace

std::vector<pid_t> descendants_of(pid_t root) {
  const auto children = children_by_parent();
  std::vector<pid_t> found{root};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto [from, to] = children.equal_range(found[i]);
    for (auto it = from; it != to; ++it) found.push_back(it->second);
  }
  found.erase(found.begin());
  return found;
}

std::vector<pid_t> children_of(pid_t root) {
  const auto children = children_by_parent();
  std::vector<pid_t> found;
  const auto [from, to] = children.equal_range(root);
  for (auto it = from; it != to; ++it) found.push_back(it->second);
  return found;
}

void kill_descendants() noexcept {
  for (int round = 0; round < 1000; ++round) {
    const std::vector<pid_t> alive = descendants_of(::getpid());
    for (const pid_t pid : alive) ::kill(pid, SIGKILL);
    pid_t reaped = 0;
    while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) continue;
    // The snapshot alone could miss one that forks and exits faster than /proc is read; it would still be our child.
    if (alive.empty() && reaped < 0 && errno == ECHILD) return;
    if (round > 0) ::poll(nullptr, 0, 10);  // the kernel needs a moment to take them down
  }
}

}  // namespace sallyport::launcher
