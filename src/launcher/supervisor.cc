#include "launcher/supervisor.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "launcher/control_socket.h"
#include "launcher/process_tree.h"

namespace sallyport::launcher {
namespace {

sigset_t handled_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGCHLD, kSignalTerminate, kSignalKill}) ::sigaddset(&set, signal);
  return set;
}

void report(int pipe, const Status& status) {
  while (::write(pipe, &status, sizeof status) < 0 && errno == EINTR) continue;
}

[[noreturn]] void run_server(Assignment& assignment, Fd error_pipe) {
  Status failure{.kind = Status::Kind::failed};
  const char* step = become_server(assignment, error_pipe.get());
  failure.value = errno;
  ::strncpy(failure.step, step, sizeof failure.step - 1);
  report(3, failure);  // become_server moved the pipe there
  ::_exit(127);
}

// Waits for exec: the pipe is close-on-exec, so its end without a message means that the program runs.
Status await_exec(int pipe, pid_t server) {
  Status status;
  ssize_t got = -1;
  do {
    got = ::read(pipe, &status, sizeof status);
  } while (got < 0 && errno == EINTR);
  if (got == sizeof status) return status;
  return Status{.kind = Status::Kind::started, .pid = server};
}

// SIGTERM to the server's processes. Not to bubblewrap itself, which would take the sandbox down at once; the init of a
// PID namespace ignores it.
void terminate_tree(const Assignment& assignment, pid_t server) {
  for (const pid_t pid : descendants_of(::getpid())) {
    if (pid == server && assignment.confinement == Confinement::bubblewrap) continue;
    ::kill(pid, SIGTERM);
  }
}

// Until the server has ended and nothing of it is left. Returns its status.
int watch(const Assignment& assignment, pid_t server, const sigset_t& signals) {
  for (;;) {
    const int signal = ::sigwaitinfo(&signals, nullptr);
    if (signal == kSignalTerminate) terminate_tree(assignment, server);
    if (signal == kSignalKill) ::kill(server, SIGKILL);
    int status = 0;
    while (const pid_t pid = ::waitpid(-1, &status, WNOHANG)) {
      if (pid == server || pid < 0) return pid < 0 ? SIGKILL : status;
    }
  }
}

// Every signal stays blocked, as in the launcher: those of interest are waited for, SIGPIPE must not end us.
void become_supervisor(pid_t launcher) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_NAME, "sp-supervisor");
  ::prctl(PR_SET_PDEATHSIG, kSignalKill);
  if (::getppid() != launcher) ::_exit(1);
}

}  // namespace

void supervise(Assignment assignment, Fd status) {
  const pid_t launcher = ::getppid();
  const sigset_t signals = handled_signals();
  become_supervisor(launcher);
  auto error_pipe = make_pipe();
  const pid_t server = error_pipe ? ::fork() : -1;
  if (server == 0) run_server(assignment, std::move((*error_pipe)[1]));
  assignment.spec.env.clear();  // the only copy of the secrets here
  assignment.spec.files.clear();
  assignment.stdio = {};
  if (server < 0) {
    report(status.get(), Status{.kind = Status::Kind::failed, .value = errno, .step = "fork"});
    ::_exit(1);
  }
  (*error_pipe)[1].reset();
  const Status outcome = await_exec((*error_pipe)[0].get(), server);
  error_pipe->at(0).reset();
  // Everything inherited from the launcher but the status pipe goes.
  ::dup2(status.get(), 3);
  ::close_range(4, ~0U, 0);
  report(3, outcome);
  const int ended = watch(assignment, server, signals);
  kill_descendants();
  std::error_code ignored;
  if (!assignment.private_folder.empty()) std::filesystem::remove_all(assignment.private_folder, ignored);
  if (outcome.kind == Status::Kind::started) report(3, Status{.kind = Status::Kind::exited, .value = ended});
  ::_exit(0);
}

}  // namespace sallyport::launcher
