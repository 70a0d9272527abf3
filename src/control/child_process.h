// A program of the machine, run for the gateway itself (an ACME client): never by a shell, never with words of a request. It
// gets its arguments, an environment of a few lines, /dev/null as its input, no descriptor of ours, no new privileges, and a
// time limit; it dies with the thread that started it, kill -9 of the gateway included. (Tool servers are the launcher's.)
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/task.h"

namespace sallyport::control {

struct ChildOrder {
  std::vector<std::string> argv;  // the program by its absolute path, and its arguments
  std::vector<std::string> environment;  // NAME=VALUE, and nothing else
  std::string folder = "/";  // where it runs
  std::chrono::seconds limit{60};  // then it is killed, with all of its process group
  std::size_t output_bytes = 64U << 10;  // of both its outputs; what is beyond is read and dropped
};

struct ChildEnd {
  int exit_code = -1;  // -1: a signal ended it
  bool timed_out = false;
  std::string output;
};

// Runs it to its end. Errors: not_found (no such program), io (it could not be started).
Task<Result<ChildEnd>> run_child(Executor executor, ChildOrder order);

}  // namespace sallyport::control
