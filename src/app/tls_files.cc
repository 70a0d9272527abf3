#include "app/tls_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace sallyport::app {
namespace {

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

std::unexpected<Error> refuse(std::string_view setting, const std::string& path, const std::string& what) {
  return fail(Code::config, std::string(setting) + ": " + path + " " + what);
}

Result<int> open_regular(std::string_view setting, const std::string& path, struct stat& info) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0 && errno == ENOENT) {
    return refuse(setting, path,
                  "is not there; fix: sallyport certs init, or name the file in " + std::string(setting));
  }
  if (fd < 0) {
    return refuse(setting, path,
                  std::string("cannot be opened: ") + std::strerror(errno) + "; fix: chown it to uid " +
                      std::to_string(::geteuid()) + ", which the gateway runs as");
  }
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) return fd;
  ::close(fd);
  return refuse(setting, path, "is no regular file; fix: name one");
}

Result<std::string> read_all(std::string_view setting, const std::string& path, int fd, std::size_t most) {
  std::string text(most + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(fd, text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return refuse(setting, path, std::string("cannot be read: ") + std::strerror(errno));
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  if (size > most) {
    return refuse(setting, path, "is larger than " + std::to_string(most >> 20U) + " MiB; fix: name another");
  }
  std::string out(text, 0, size);
  wipe(text);
  return out;
}

std::string octal(mode_t mode) {
  std::array<char, 8> digits{};
  std::snprintf(digits.data(), digits.size(), "%04o", static_cast<unsigned>(mode & 07777));
  return digits.data();
}

}  // namespace

Result<std::string> read_tls_file(std::string_view setting, const std::string& path, std::size_t most) {
  struct stat info{};
  SP_TRY(const int fd, open_regular(setting, path, info));
  const Descriptor file{fd};
  const bool small = info.st_size < static_cast<off_t>(kTlsFileMax);  // most are: no room is made for what is not there
  return read_all(setting, path, file.fd, small ? std::min(most, kTlsFileMax) : most);
}

Result<Secret> read_tls_key(std::string_view setting, const std::string& path) {
  struct stat info{};
  SP_TRY(const int fd, open_regular(setting, path, info));
  const Descriptor file{fd};
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return refuse(
        setting, path,
        "belongs to uid " + std::to_string(info.st_uid) + "; fix: chown " + std::to_string(::geteuid()) + " " + path);
  }
  const mode_t too_wide = info.st_uid == ::geteuid() ? 077 : 037;
  if ((info.st_mode & too_wide) != 0) {
    return refuse(setting, path,
                  "may be read by others (mode " + octal(info.st_mode) + "); fix: chmod 600 " + path +
                      ", and make a new key if someone else may have read it");
  }
  SP_TRY(std::string text, read_all(setting, path, file.fd, kTlsFileMax));
  Secret key(text);
  wipe(text);
  return key;
}

}  // namespace sallyport::app
