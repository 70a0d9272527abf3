// One home, one process: an flock on <home>/lock, held as long as the object lives (and ended by the kernel with the process).
// Taken by `serve` and by a CLI command that runs without a server, before anything else of the home is opened.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "core/result.h"

namespace sallyport::storage {

class HomeLock {
 public:
  // `conflict` where another process holds it, after `patience` (whole seconds) still; the detail names its process id. Who
  // waits is the main thread, and uses SIGALRM meanwhile.
  static Result<HomeLock> take(const std::string& home, std::chrono::seconds patience = {});
  HomeLock(HomeLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  HomeLock& operator=(HomeLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~HomeLock();

 private:
  explicit HomeLock(int fd) noexcept : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace sallyport::storage
