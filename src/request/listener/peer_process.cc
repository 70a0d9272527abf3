#include "request/listener/peer_process.h"

#include <cstdlib>
#include <fstream>
#include <string>

namespace sallyport {
namespace {

constexpr int kGenerationsMax = 4096;  // a loop that pid reuse could make ends

// proc(5): "pid (name) state ppid ..."; the name may hold anything, so the last parenthesis counts. 0: unknown.
pid_t parent_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto end = line.rfind(')');
  if (end == std::string::npos || end + 4 > line.size()) return 0;
  return static_cast<pid_t>(std::strtol(line.c_str() + end + 4, nullptr, 10));
}

}  // namespace

bool descends_from(pid_t pid, pid_t ancestor) {
  if (pid <= 0) return true;
  for (int generation = 0; generation < kGenerationsMax; ++generation) {
    const pid_t parent = parent_of(pid);
    if (parent == ancestor) return true;
    if (parent <= 0) return generation == 0 && pid != 1;
    pid = parent;
  }
  return true;
}

}  // namespace sallyport
