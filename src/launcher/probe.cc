#include "launcher/probe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "launcher/control_socket.h"
#include "launcher/landlock.h"
#include "launcher/supervisor.h"

namespace sallyport::launcher {
namespace {

constexpr int kProbeMillisecondsMax = 5000;
constexpr std::size_t kReasonBytesMax = 300;

std::string read_reason(int pipe) {
  std::string text;
  char block[256];
  for (;;) {
    pollfd readable{pipe, POLLIN, 0};
    if (::poll(&readable, 1, kProbeMillisecondsMax) <= 0) break;
    const ssize_t got = ::read(pipe, block, sizeof block);
    if (got <= 0) break;
    if (text.size() < kReasonBytesMax) text.append(block, static_cast<std::size_t>(got));
  }
  for (char& c : text) c = c < ' ' ? ' ' : c;
  while (text.ends_with(' ')) text.pop_back();
  return text.substr(0, kReasonBytesMax);
}

int wait_or_kill(pid_t pid) {
  int status = 0;
  for (int waited = 0; waited < kProbeMillisecondsMax; ++waited) {
    if (::waitpid(pid, &status, WNOHANG) != 0) return status;
    ::poll(nullptr, 0, 1);
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, &status, 0);
  return status;
}

// Empty: it works. Otherwise what bubblewrap said.
std::string try_bubblewrap(const Options& options, const Filters& filters) {
  if (::access(options.bwrap.c_str(), X_OK) != 0) return options.bwrap + " is not installed";
  auto pipe = make_pipe();
  if (!pipe) return pipe.error().detail;
  const pid_t pid = ::fork();
  if (pid < 0) return "fork failed";
  if (pid == 0) {
    Assignment assignment{.confinement = Confinement::bubblewrap, .bwrap = options.bwrap, .seccomp = filters.without_network};
    assignment.spec.argv = {"/usr/bin/true"};
    assignment.stdio = {Fd(::open("/dev/null", O_RDWR)), Fd(::open("/dev/null", O_RDWR)), std::move((*pipe)[1])};
    become_server(assignment, assignment.stdio[0].get());
    ::_exit(127);
  }
  (*pipe)[1].reset();
  std::string reason = read_reason((*pipe)[0].get());
  const int status = wait_or_kill(pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return reason.empty() ? "bubblewrap failed without a word" : reason;
}

}  // namespace

Result<Hello> probe_confinement(const Options& options, const Filters& filters) {
  const Confinement next = landlock_version() > 0 ? Confinement::landlock : Confinement::rlimits;
  if (options.sandbox == Sandbox::fallback) return Hello{next, "bubblewrap is switched off"};
  std::string reason = try_bubblewrap(options, filters);
  if (reason.empty()) return Hello{Confinement::bubblewrap, {}};
  if (options.sandbox == Sandbox::require) {
    return fail(Code::config, "the sandbox is required and bubblewrap does not work: " + reason);
  }
  return Hello{next, std::move(reason)};
}

}  // namespace sallyport::launcher
