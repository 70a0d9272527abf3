#include "launcher/seccomp_filter.h"

#include <seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>

#include <array>
#include <cerrno>
#include <memory>

#include "launcher/fd.h"

namespace sallyport::launcher {
namespace {

// Names libseccomp does not know on this machine are passed over.
constexpr std::array kAllowed = {
    // files
    "access", "chdir", "chmod", "close", "close_range", "copy_file_range", "creat", "dup", "dup2", "dup3", "faccessat",
    "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchownat", "fcntl",
    "fdatasync", "fgetxattr", "flistxattr", "flock", "fstat", "fstatfs", "fsync", "ftruncate", "futimesat", "getcwd",
    "getdents", "getdents64", "getxattr", "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch",
    "lgetxattr", "link", "linkat", "listxattr", "llistxattr", "lseek", "lstat", "memfd_create", "mkdir", "mkdirat",
    "newfstatat", "open", "openat", "openat2", "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2", "read",
    "readahead", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2", "rmdir", "sendfile", "splice",
    "stat", "statfs", "statx", "symlink", "symlinkat", "sync_file_range", "syncfs", "tee", "truncate", "umask", "unlink",
    "unlinkat", "utime", "utimensat", "utimes", "write", "writev",
    // memory
    "brk", "madvise", "membarrier", "mincore", "mlock", "mlock2", "mmap", "mprotect", "mremap", "mseal", "msync", "munlock",
    "munmap", "pkey_alloc", "pkey_free", "pkey_mprotect", "map_shadow_stack",
    // processes and threads; clone by rule below
    "arch_prctl", "execve", "execveat", "exit", "exit_group", "fork", "futex", "futex_waitv", "get_robust_list",
    "getcpu", "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getpid", "getppid", "getpriority",
    "getresgid", "getresuid", "getrlimit", "getrusage", "getsid", "gettid", "getuid", "ioprio_get", "kill",
    "pidfd_open", "pidfd_send_signal", "prctl", "prlimit64", "rseq", "sched_get_priority_max", "sched_get_priority_min",
    "sched_getaffinity", "sched_getattr", "sched_getparam", "sched_getscheduler", "sched_setaffinity",
    "sched_setscheduler", "sched_yield", "seccomp", "set_robust_list", "set_tid_address", "setgid", "setgroups", "setpgid",
    "setpriority", "setresgid", "setresuid", "setrlimit", "setsid", "setuid", "landlock_create_ruleset",
    "landlock_add_rule", "landlock_restrict_self", "tgkill", "tkill", "vfork", "wait4", "waitid",
    // signals, time, waiting
    "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd", "eventfd2", "getitimer", "gettimeofday", "nanosleep", "pause",
    "pipe", "pipe2", "poll", "ppoll", "pselect6", "restart_syscall", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
    "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo", "select", "setitimer",
    "sigaltstack", "signalfd", "signalfd4", "time", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime",
    "timer_settime", "timerfd_create", "timerfd_gettime", "timerfd_settime", "times",
    // sockets; socket() by rule below
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recvfrom", "recvmmsg",
    "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "socketpair",
    // the machine
    "getrandom", "sysinfo", "uname"};

// TIOCSTI and TIOCLINUX type into the terminal of whoever started us: ioctl is a list too.
constexpr std::array<unsigned long, 14> kIoctls = {FIOCLEX, FIONCLEX, FIONBIO, FIONREAD, FIOASYNC, TCGETS, TCSETS, TCSETSW,
                                                   TCSETSF, TIOCGWINSZ, TIOCGPGRP, TIOCSPGRP, 0x802C542AUL /* TCGETS2 */,
                                                   0x40049409UL /* FICLONE */};

constexpr unsigned long kNamespaceFlags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                          CLONE_NEWPID | CLONE_NEWNET | 0x80UL /* CLONE_NEWTIME */;
constexpr unsigned long kLow32 = 0xFFFFFFFFUL;

scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
  return scmp_arg_cmp{argument, SCMP_CMP_MASKED_EQ, mask, value};
}

bool add_named(scmp_filter_ctx filter) {
  for (const char* name : kAllowed) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) continue;
    // -EDOM: known to libseccomp, absent on this architecture.
    const int rc = ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
    if (rc != 0 && rc != -EDOM) return false;
  }
  return true;
}

bool add_by_argument(scmp_filter_ctx filter, bool network) {
  for (const unsigned long request : kIoctls) {
    if (::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, masked(1, kLow32, request)) != 0) {
      return false;
    }
  }
  // clone3 passes its flags by pointer, unreadable here: with ENOSYS glibc falls back to clone.
  if (::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, masked(0, kNamespaceFlags, 0)) != 0) {
    return false;
  }
  const auto family = [filter](int value) {
    return ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                              masked(0, kLow32, static_cast<scmp_datum_t>(value))) == 0;
  };
  if (!family(AF_UNIX)) return false;
  if (!network) return true;
  return family(AF_INET) && family(AF_INET6) &&
         ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                            masked(0, kLow32, AF_NETLINK), masked(2, kLow32, 0)) == 0;
}

Result<std::string> exported(scmp_filter_ctx filter) {
  const Fd file(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!file || ::seccomp_export_bpf(filter, file.get()) != 0) return fail(Code::internal, "seccomp_export_bpf");
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  std::string program(static_cast<std::size_t>(size > 0 ? size : 0), '\0');
  if (size <= 0 || ::pread(file.get(), program.data(), program.size(), 0) != size) {
    return fail(Code::internal, "seccomp filter could not be read back");
  }
  return program;
}

}  // namespace

Result<std::string> build_seccomp_filter(bool network) {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(::seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), &::seccomp_release);
  if (!filter) return fail(Code::internal, "seccomp_init");
  if (!add_named(filter.get()) || !add_by_argument(filter.get(), network)) {
    return fail(Code::internal, "seccomp rule refused");
  }
  return exported(filter.get());
}

}  // namespace sallyport::launcher
