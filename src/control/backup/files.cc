#include "control/backup/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "control/backup/manifest.h"

namespace sallyport::backup {
namespace {

namespace fs = std::filesystem;
constexpr int kDepthMax = 8;
constexpr std::string_view kLive =
    ".live";  // in a scratch folder, locked while that is used; no name of a backup's file

Result<void> walk(const std::string& folder, const std::string& prefix, int depth, std::size_t most,
                  std::vector<Found>& found, std::vector<std::string>& passed_over) {
  if (depth > kDepthMax) return fail(Code::limit, "folders more than 8 deep below " + folder);
  std::error_code error;
  fs::directory_iterator at(folder, error);
  if (error) return fail(Code::io, "read the folder " + folder + ": " + error.message());
  for (; at != fs::directory_iterator(); at.increment(error)) {
    const std::string name = prefix + at->path().filename().string();
    const auto kind = at->symlink_status(error).type();
    if (kind == fs::file_type::directory) {
      SP_CHECK(walk(at->path().string(), name + "/", depth + 1, most, found, passed_over));
    } else if (kind == fs::file_type::regular) {
      if (found.size() >= most) return fail(Code::limit, "over " + std::to_string(most) + " files below " + folder);
      found.push_back({name, at->path().string()});
    } else {
      passed_over.push_back(name);
    }
    if (error) break;
  }
  if (error) return fail(Code::io, "read the folder " + folder + ": " + error.message());
  return {};
}

}  // namespace

std::unexpected<Error> io_error(std::string_view what, const std::string& path) {
  const int error = errno;
  const Code code = error == ENOENT ? Code::not_found : error == EEXIST ? Code::already_exists : Code::io;
  return fail(code, std::string(what) + " '" + path + "': " + std::generic_category().message(error));
}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

Result<File> File::to_read(const std::string& path, Links links) {
  const int follow = links == Links::follow ? 0 : O_NOFOLLOW;
  File file(::open(path.c_str(), O_RDONLY | follow | O_CLOEXEC | O_NONBLOCK), path);
  if (file.fd_ < 0) return io_error("open", path);
  struct stat info{};
  if (::fstat(file.fd_, &info) != 0) return io_error("look at", path);
  if (!S_ISREG(info.st_mode)) return fail(Code::io, "'" + path + "' is no regular file");
  return file;
}

Result<File> File::make(const std::string& path) {
  File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), path);
  if (file.fd_ < 0) return io_error("make", path);
  return file;
}

Result<std::uint64_t> File::size() const {
  struct stat info{};
  if (::fstat(fd_, &info) != 0) return io_error("look at", path_);
  return static_cast<std::uint64_t>(info.st_size);
}

Result<std::size_t> File::read(std::span<char> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::read(fd_, out.data() + done, out.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", path_);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<void> File::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return io_error("write", path_);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> File::sync() {
  if (::fsync(fd_) != 0) return io_error("sync", path_);
  return {};
}

Result<Scratch> Scratch::make(std::string path) {
  if (::mkdir(path.c_str(), 0700) != 0) return io_error("make", path);
  const std::string live = path + "/" + std::string(kLive);
  const int lock = ::open(live.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock < 0) {
    auto why = io_error("make", live);
    (void)::rmdir(path.c_str());
    return why;
  }
  Scratch made(std::move(path), lock);
  struct stat info{};
  const bool locked = ::flock(lock, LOCK_EX | LOCK_NB) == 0 && ::fstat(lock, &info) == 0 && info.st_nlink > 0;
  if (locked) return made;
  return fail(Code::conflict, "'" + live + "' could not be locked: try again");  // a sweep came in between, say
}

Scratch::~Scratch() {
  if (!path_.empty()) (void)remove_scratch(path_);
  if (lock_ >= 0) ::close(lock_);
}

Result<void> sweep_scratch(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0)
    return errno == ENOENT ? Result<void>() : Result<void>(io_error("look at", path));
  if (!S_ISDIR(info.st_mode)) return remove_all(path);
  const std::string live = path + "/" + std::string(kLive);
  const int lock = ::open(live.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock < 0) return errno == ENOENT ? Result<void>() : Result<void>(io_error("open", live));  // gone meanwhile
  const bool lives = ::flock(lock, LOCK_EX | LOCK_NB) != 0;
  auto done = lives ? Result<void>() : remove_scratch(path);
  ::close(lock);
  return done;
}

Result<void> remove_scratch(const std::string& path) {
  for (const auto name : {kKeys, kCerts, kSecrets}) wipe_below(path + "/" + std::string(name));
  return remove_all(path);
}

Result<std::vector<Found>> files_below(const std::string& folder, std::size_t most,
                                       std::vector<std::string>& passed_over) {
  std::vector<Found> found;
  if (!exists(folder)) return found;
  SP_CHECK(walk(folder, "", 1, most, found, passed_over));
  std::ranges::sort(found, {}, &Found::name);
  return found;
}

bool exists(const std::string& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0;
}

Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  if (errno == ENOENT && path.find('/') != std::string::npos) {
    SP_CHECK(make_folder(path.substr(0, path.rfind('/'))));
    if (::mkdir(path.c_str(), 0700) == 0) return {};
  }
  struct stat info{};
  if (errno != EEXIST) return io_error("make", path);
  if (::lstat(path.c_str(), &info) != 0) return io_error("look at", path);
  if (!S_ISDIR(info.st_mode)) return fail(Code::io, "'" + path + "' is no folder");
  return {};
}

namespace {

Result<void> sync_path(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (fd < 0) return io_error("open", path);
  const bool done = ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  errno = error;
  return done ? Result<void>() : Result<void>(io_error("sync", path));
}

}  // namespace

Result<void> sync_folder(const std::string& path) { return sync_path(path, O_DIRECTORY); }

Result<void> sync_tree(const std::string& folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error); !error && at != fs::recursive_directory_iterator();
       at.increment(error)) {
    if (at->is_symlink(error)) continue;
    SP_CHECK(sync_path(at->path().string(), 0));
  }
  if (error) return fail(Code::io, "read the folder " + folder + ": " + error.message());
  return sync_folder(folder);
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return io_error("rename", from);
  return {};
}

void wipe_below(const std::string& folder) noexcept {
  std::vector<std::string> ignored;
  const auto files = files_below(folder, 65'536, ignored);
  if (!files) return;
  static constexpr std::array<char, 65'536> kZeroes{};
  for (const Found& one : *files) {
    const int fd = ::open(one.path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat info{};
    if (fd < 0) continue;
    off_t left = ::fstat(fd, &info) == 0 ? info.st_size : 0;
    while (left > 0) {
      const ssize_t done =
          ::write(fd, kZeroes.data(), std::min<std::size_t>(static_cast<std::size_t>(left), kZeroes.size()));
      if (done <= 0) break;
      left -= done;
    }
    ::fdatasync(fd);
    ::close(fd);
  }
}

Result<void> remove_all(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return fail(Code::io, "remove '" + path + "': " + error.message());
  return {};
}

}  // namespace sallyport::backup
