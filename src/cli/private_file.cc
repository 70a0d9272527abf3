#include "cli/private_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace sallyport::cli {

Result<NewFile> NewFile::open(std::string path, bool is_private) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, is_private ? 0600 : 0644);
  if (fd < 0 && errno == EEXIST) return fail(Code::already_exists, path + " exists, and is not overwritten");
  if (fd < 0) return fail(Code::io, "cannot make " + path + ": " + std::generic_category().message(errno));
  return NewFile(std::move(path), fd);
}

NewFile::NewFile(NewFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), written_(other.written_) {}

NewFile& NewFile::operator=(NewFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(written_, other.written_);
  return *this;
}

NewFile::~NewFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  if (!written_) ::unlink(path_.c_str());
}

Result<void> NewFile::write(std::string_view content) {
  while (!content.empty()) {
    const ssize_t put = ::write(fd_, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return fail(Code::io, "cannot write " + path_ + ": " + std::generic_category().message(errno));
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fsync(fd_) != 0) return fail(Code::io, "cannot write " + path_ + ": " + std::generic_category().message(errno));
  written_ = true;
  return {};
}

}  // namespace sallyport::cli
