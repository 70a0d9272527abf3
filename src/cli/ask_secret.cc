#include "cli/ask_secret.h"

#include <termios.h>
#include <unistd.h>

#include <istream>
#include <ostream>

#include "core/secret.h"

namespace sallyport::cli {
namespace {

// Switches the terminal's echo off while a password is typed.
class NoEcho {
 public:
  NoEcho() {
    on_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (on_) ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  }
  ~NoEcho() {
    if (on_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool on_ = false;
};

}  // namespace

std::string read_line(std::istream& in) {
  std::string line;
  std::getline(in, line);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

Result<std::string> ask_twice(const Context& c, std::string_view what) {
  const NoEcho silent;
  c.io.err << what << ": " << std::flush;
  std::string first = read_line(c.io.in);
  c.io.err << "\nAgain: " << std::flush;
  std::string second = read_line(c.io.in);
  c.io.err << "\n";
  const bool same = first == second;
  wipe(second);
  if (same) return first;
  wipe(first);
  return fail(Code::validation, "the two differ");
}

}  // namespace sallyport::cli
