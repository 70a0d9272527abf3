#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "launcher/bwrap_args.h"
#include "launcher/control_socket.h"
#include "launcher/landlock.h"
#include "launcher/supervisor.h"

namespace sallyport::launcher {
namespace {

constexpr int kErrorPipe = 3;
constexpr const char* kPrlimit = "/usr/bin/prlimit";  // util-linux, an essential package

// Moves `from` to the numbers 0, 1, 2, ... and closes everything else. Sources are lifted first, so that none is
// overwritten before it was moved.
bool arrange_descriptors(std::vector<int> from) {
  for (int& fd : from) {
    fd = ::fcntl(fd, F_DUPFD, 100);
    if (fd < 0) return false;
  }
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (::dup2(from[i], static_cast<int>(i)) < 0) return false;
  }
  return ::close_range(static_cast<unsigned>(from.size()), ~0U, 0) == 0;
}

bool limit(int resource, std::uint64_t value) {
  // Never more than what is already the hard limit.
  rlimit now{};
  if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &now) != 0) return false;
  const rlim_t wanted = std::min<rlim_t>(value, now.rlim_max);
  const rlimit next{wanted, wanted};
  return ::setrlimit(static_cast<__rlimit_resource_t>(resource), &next) == 0;
}

bool apply_limits(const Limits& limits) {
  const Limits defaults;
  const auto or_default = [](auto value, auto fallback) { return value == 0 ? fallback : value; };
  // Floors: what this very function's caller still needs on its way to exec.
  const std::uint64_t file_bytes = std::max<std::uint64_t>(or_default(limits.file_bytes_max, defaults.file_bytes_max), 1U << 20);
  const std::uint64_t files = std::max<std::uint64_t>(or_default(limits.open_files_max, defaults.open_files_max), 128);
  return limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, file_bytes) && limit(RLIMIT_NOFILE, files) &&
         (limits.cpu_max.count() <= 0 || limit(RLIMIT_CPU, static_cast<std::uint64_t>(limits.cpu_max.count())));
}

// Without a user namespace the kernel counts the processes of the whole user, so the limit is set above what runs on the
// machine already (proc(5), loadavg, fourth field: running/total).
bool limit_processes_of_user(std::uint32_t most) {
  unsigned total = 0;
  if (std::FILE* load = std::fopen("/proc/loadavg", "re")) {
    if (std::fscanf(load, "%*s %*s %*s %*u/%u", &total) != 1) total = 0;
    std::fclose(load);
  }
  return limit(RLIMIT_NPROC, total + most);
}

bool load_seccomp(const std::string& program) {
  std::vector<sock_filter> steps(program.size() / sizeof(sock_filter));
  std::memcpy(steps.data(), program.data(), steps.size() * sizeof(sock_filter));
  sock_fprog filter{static_cast<unsigned short>(steps.size()), steps.data()};
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

std::vector<char*> pointers(std::vector<std::string>& list) {
  std::vector<char*> result;
  for (std::string& item : list) result.push_back(item.data());
  result.push_back(nullptr);
  return result;
}

// The limit of memory comes last, when nothing more is allocated here: a sanitizer's shadow counts too.
const char* exec_within(const Limits& limits, const char* program, char* const* argv, char* const* env) {
  const std::uint64_t bytes = limits.data_bytes_max == 0 ? Limits{}.data_bytes_max : limits.data_bytes_max;
  if (!limit(RLIMIT_DATA, bytes)) return "limit of memory";
  ::execve(program, argv, env);
  return "exec";
}

// The files of a specification are memory files that the server inherits: nothing on a disk, nothing left when it ends. Each
// time it opens the path it reads from the start. `first`: the number that the first of them will have.
std::optional<std::vector<Fd>> hand_over_files(LaunchSpec& spec, int first) {
  std::vector<Fd> files;
  for (const auto& [name, value] : spec.files) {
    auto file = memory_file(value.reveal());
    if (!file || ::fchmod(file->get(), 0400) != 0) return std::nullopt;
    spec.env.emplace_back(name, Secret("/proc/self/fd/" + std::to_string(first + static_cast<int>(files.size()))));
    files.push_back(std::move(*file));
  }
  return files;
}

std::vector<int> numbers(std::vector<int> from, const std::vector<Fd>& more) {
  for (const Fd& fd : more) from.push_back(fd.get());
  return from;
}

const char* exec_bubblewrap(Assignment& assignment) {
  constexpr int kArgs = 4;
  constexpr int kSeccomp = 5;
  constexpr int kPasswd = 6;
  const auto files = hand_over_files(assignment.spec, kPasswd + 1);
  if (!files) return "memory file of a secret";
  std::string joined;
  for (std::string& arg : bwrap_args(assignment.spec, assignment.view, {kSeccomp, kPasswd})) {
    joined += arg;
    joined += '\0';
  }
  auto args = memory_file(joined);
  auto seccomp = memory_file(assignment.seccomp);
  auto passwd = memory_file(minimal_passwd(::geteuid(), ::getegid()));
  if (!args || !seccomp || !passwd) return "memory file";
  if (!arrange_descriptors(numbers({0, 1, 2, kErrorPipe, args->get(), seccomp->get(), passwd->get()}, *files))) {
    return "descriptors";
  }
  ::fcntl(kErrorPipe, F_SETFD, FD_CLOEXEC);
  std::vector<std::string> argv{assignment.bwrap, "--args", std::to_string(kArgs), "--"};
  // Counted inside the sandbox's own user namespace, so it has to be set there.
  if (::access(kPrlimit, X_OK) == 0) {
    const std::string most = std::to_string(std::max(1U, assignment.spec.limits.processes_max));
    argv.insert(argv.end(), {kPrlimit, "--nproc=" + most + ":" + most, "--"});
  }
  argv.insert(argv.end(), assignment.spec.argv.begin(), assignment.spec.argv.end());
  char* no_environment[] = {nullptr};
  return exec_within(assignment.spec.limits, assignment.bwrap.c_str(), pointers(argv).data(), no_environment);
}

const char* exec_plain(Assignment& assignment) {
  const auto files = hand_over_files(assignment.spec, kErrorPipe + 1);
  if (!files || !arrange_descriptors(numbers({0, 1, 2, kErrorPipe}, *files))) return "memory file of a secret";
  ::fcntl(kErrorPipe, F_SETFD, FD_CLOEXEC);
  const std::string& folder =
      assignment.view.working_directory.empty() ? assignment.private_folder : assignment.view.working_directory;
  if (::chdir(folder.c_str()) != 0) return "chdir";
  std::vector<std::string> env{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + assignment.private_folder,
                               "TMPDIR=" + assignment.private_folder, "LANG=C.UTF-8"};
  for (const auto& [name, value] : assignment.spec.env) env.push_back(name + "=" + std::string(value.reveal()));
  if (!limit_processes_of_user(assignment.spec.limits.processes_max)) return "limit of processes";
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "no_new_privs";
  if (assignment.confinement == Confinement::landlock &&
      !landlock_self(assignment.view, assignment.private_folder, assignment.spec.network)) {
    return "Landlock";
  }
  if (!assignment.seccomp.empty() && !load_seccomp(assignment.seccomp)) return "seccomp filter";
  return exec_within(assignment.spec.limits, assignment.spec.argv[0].c_str(), pointers(assignment.spec.argv).data(),
                     pointers(env).data());
}

}  // namespace

const char* become_server(Assignment& assignment, int error_pipe) {
  reset_signals();
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto& io = assignment.stdio;
  if (!arrange_descriptors({io[0].get(), io[1].get(), io[2].get(), error_pipe})) return "descriptors";
  ::fcntl(kErrorPipe, F_SETFD, FD_CLOEXEC);
  ::umask(077);
  if (!apply_limits(assignment.spec.limits)) return "resource limits";
  return assignment.confinement == Confinement::bubblewrap ? exec_bubblewrap(assignment) : exec_plain(assignment);
}

}  // namespace sallyport::launcher
