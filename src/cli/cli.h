// The commands of `sallyport` (`sallyport --help`). All but serve and init are clients of the REST API over
// <home>/admin.sock. Main thread only. Exit codes: see exit_code.h and `sallyport --help`.
#pragma once

#include <iosfwd>

#include "cli/hooks.h"

namespace sallyport::cli {

// Where the commands read and write; tests hand in streams of their own.
struct Io {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool colour = false;       // a terminal, and no NO_COLOR
  bool interactive = false;  // stdin is a terminal: passwords may be asked for
  config::Environment environment;
  bool of_process = false;  // made by process_io, not by a test
  bool terminal = false;    // stdout is one: what it would act on is not written to it
};

// Of this process: colours and questions only on a terminal.
Io process_io();

// Parses and runs one command; the exit code.
int run(int argc, const char* const* argv, const Hooks& hooks, Io& io);

}  // namespace sallyport::cli
