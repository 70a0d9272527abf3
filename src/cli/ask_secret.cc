#include "cli/ask_secret.h"

#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <istream>
#include <ostream>

namespace sallyport::cli {
namespace {

constexpr std::array kEnding{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
termios before_silence{};  // what a signal has to restore: it finds nothing else. Set while one NoEcho lives.

// Functions that signal-safety(7) names, and no others.
void restore_and_end(int signal) {
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before_silence);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

// Switches the terminal's echo off while a password is typed, and on again however that ends.
class NoEcho {
 public:
  explicit NoEcho(bool terminal) : on_(terminal && ::tcgetattr(STDIN_FILENO, &before_silence) == 0) {
    if (!on_) return;
    struct sigaction restoring{};
    restoring.sa_handler = restore_and_end;
    for (std::size_t i = 0; i < kEnding.size(); ++i) ::sigaction(kEnding[i], &restoring, &former_[i]);
    termios silent = before_silence;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_cc[VSUSP] = _POSIX_VDISABLE;  // stopped here, the shell would go on without echo
    ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  }
  ~NoEcho() {
    if (!on_) return;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before_silence);
    for (std::size_t i = 0; i < kEnding.size(); ++i) ::sigaction(kEnding[i], &former_[i], nullptr);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  std::array<struct sigaction, kEnding.size()> former_{};
  bool on_;
};

Secret answer(const Context& c, std::string_view question) {
  c.io.err << question << ": " << std::flush;
  Secret line(read_line(c.io.in));
  c.io.err << "\n";
  return line;
}

}  // namespace

std::string read_line(std::istream& in) {
  std::string line;
  std::getline(in, line);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

Result<Secret> ask_secret(const Context& c, std::string_view what, Asking asking) {
  if (!c.io.interactive) return Secret(read_line(c.io.in));
  const NoEcho silent(c.io.of_process);  // a test's terminal is none
  Secret first = answer(c, what);
  if (asking == Asking::twice && answer(c, "Again").reveal() != first.reveal()) {
    return fail(Code::validation, "the two differ; fix: try again");
  }
  return first;
}

Result<void> write_secret(json::Writer& w, std::string_view key, const Secret& secret) {
  if (!is_utf8(secret.reveal())) {
    return fail(Code::validation,
                "the secret holds bytes that are not UTF-8 and cannot be sent as they are; fix: type it in a terminal "
                "with a UTF-8 locale, convert it (iconv -f LATIN1 -t UTF-8), or choose another one");
  }
  w.member(key, secret.reveal());
  return {};
}

}  // namespace sallyport::cli
