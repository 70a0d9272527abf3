#include "control/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <system_error>

namespace sallyport::control {
namespace {

using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// In the child of a process with threads: nothing but calls that are safe there (signal-safety(7)).
[[noreturn]] void become(char* const* argv, char* const* environment, const char* folder, int output, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::getppid() != parent) ::_exit(127);
  for (int signal = 1; signal < 32; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::umask(077);  // what it writes is the gateway's alone: an ACME account's key
  const int input = ::open("/dev/null", O_RDONLY);
  if (input < 0 || ::dup2(input, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(output, 2) < 0) ::_exit(127);
  ::close_range(3, ~0U, 0);
  if (::chdir(folder) == 0) ::execve(argv[0], argv, environment);
  ::_exit(127);
}

struct Started {
  pid_t pid = 0;
  Descriptor output, end;
};

std::unexpected<Error> failed(std::string_view what) {
  return fail(Code::io, std::string(what) + ": " + std::generic_category().message(errno));
}

Result<Started> start(const Executor& executor, ChildOrder& order) {
  if (order.argv.empty() || ::access(order.argv.front().c_str(), X_OK) != 0) {
    return fail(Code::not_found, "there is no program " + (order.argv.empty() ? std::string() : order.argv.front()));
  }
  const auto argv = pointers(order.argv), environment = pointers(order.environment);
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return failed("pipe");
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(argv.data(), environment.data(), order.folder.c_str(), pipe[1], parent);
  ::close(pipe[1]);
  Descriptor output(executor, pipe[0]);
  if (pid < 0) return failed("fork");
  // glibc 2.36 declares pidfd_open without C linkage.
  const int end = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (end < 0) {
    const auto error = failed("pidfd_open");
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return error;
  }
  return Started{pid, std::move(output), Descriptor(executor, end)};
}

Task<void> read_all(Descriptor& output, std::string& text, std::size_t bytes_max) {
  std::string part(4096, '\0');
  for (;;) {
    const auto [error, size] = co_await output.async_read_some(asio::buffer(part), use_task_ec);
    if (error) co_return;
    text.append(part, 0, std::min(size, bytes_max - std::min(bytes_max, text.size())));
  }
}

}  // namespace

Task<Result<ChildEnd>> run_child(Executor executor, ChildOrder order) {
  SP_CO_TRY(Started child, start(executor, order));
  ChildEnd end;
  SteadyTimer timer(executor, order.limit);
  const auto waits = std::make_shared<bool>(true);  // a handler that was queued already is not taken back by cancel()
  timer.async_wait([&, waits, pid = child.pid](const boost::system::error_code& error) {
    if (error || !*waits) return;
    end.timed_out = true;
    ::kill(-pid, SIGKILL);
    child.output.cancel();  // whoever left the group may hold it open
  });
  co_await read_all(child.output, end.output, order.output_bytes);
  (void)co_await child.end.async_wait(Descriptor::wait_read, use_task_ec);
  timer.cancel();
  *waits = false;
  ::kill(-child.pid, SIGKILL);  // what it left behind; while its id is still nobody else's
  int status = 0;
  while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  co_return end;
}

}  // namespace sallyport::control
