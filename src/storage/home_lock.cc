#include "storage/home_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace sallyport::storage {

namespace {

// flock(2) that gives up: a timer's signal interrupts it, and again each second should it have come too early.
bool lock_within(int fd, std::chrono::seconds patience) {
  if (patience.count() == 0) return ::flock(fd, LOCK_EX | LOCK_NB) == 0;
  struct sigaction waking{}, former{};
  waking.sa_handler = [](int) {};  // without SA_RESTART
  ::sigaction(SIGALRM, &waking, &former);
  itimerval times{{1, 0}, {patience.count(), 0}};
  ::setitimer(ITIMER_REAL, &times, nullptr);
  const bool locked = ::flock(fd, LOCK_EX) == 0;
  const int error = errno;
  times = {};
  ::setitimer(ITIMER_REAL, &times, nullptr);
  ::sigaction(SIGALRM, &former, nullptr);
  errno = error == EINTR ? EWOULDBLOCK : error;
  return locked;
}

}  // namespace

HomeLock::~HomeLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<HomeLock> HomeLock::take(const std::string& home, std::chrono::seconds patience) {
  const std::string path = home + "/lock";
  HomeLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.fd_ < 0) return fail(Code::storage, "open " + path + ": " + std::generic_category().message(errno));
  if (!lock_within(lock.fd_, patience)) {
    if (errno != EWOULDBLOCK) return fail(Code::storage, "lock " + path + ": " + std::generic_category().message(errno));
    std::array<char, 16> holder{};
    const ssize_t got = ::pread(lock.fd_, holder.data(), holder.size() - 1, 0);
    const std::string pid(holder.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    return fail(Code::conflict,
                "the home is in use by process " + pid.substr(0, pid.find('\n')) + "; fix: stop that one first");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  // For people only; the lock is the kernel's.
  if (::ftruncate(lock.fd_, 0) == 0) (void)!::pwrite(lock.fd_, pid.data(), pid.size(), 0);
  return lock;
}

}  // namespace sallyport::storage
