#include "storage/home_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace sallyport::storage {

HomeLock::~HomeLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<HomeLock> HomeLock::take(const std::string& home) {
  const std::string path = home + "/lock";
  HomeLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.fd_ < 0) return fail(Code::storage, "open " + path + ": " + std::generic_category().message(errno));
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail(Code::storage, "lock " + path + ": " + std::generic_category().message(errno));
    std::array<char, 16> holder{};
    const ssize_t got = ::pread(lock.fd_, holder.data(), holder.size() - 1, 0);
    const std::string pid(holder.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    return fail(Code::conflict, "the home is in use by process " + pid.substr(0, pid.find('\n')));
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  // For people only; the lock is the kernel's.
  if (::ftruncate(lock.fd_, 0) == 0) (void)!::pwrite(lock.fd_, pid.data(), pid.size(), 0);
  return lock;
}

}  // namespace sallyport::storage
