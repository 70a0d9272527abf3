#include "crypto/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "core/fault_point.h"

namespace sallyport::crypto {
namespace {

namespace fs = std::filesystem;

class File {
 public:
  explicit File(int fd) noexcept : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool ok() const noexcept { return fd_ >= 0; }

 private:
  int fd_;
};

std::string because(const std::string& what, int error) { return what + ": " + std::generic_category().message(error); }

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

// What the fix needs to be typed is in the message: these texts are shown when the start is refused.
Result<void> check_owner_and_mode(const struct stat& info, const fs::path& path, const char* mode) {
  if (info.st_uid != ::geteuid()) {
    return fail(Code::config, quoted(path) + " belongs to uid " + std::to_string(info.st_uid) +
                                  ", this process runs as uid " + std::to_string(::geteuid()) + "; fix: chown " +
                                  std::to_string(::geteuid()) + " " + quoted(path));
  }
  if ((info.st_mode & 077) != 0) {
    return fail(Code::config, quoted(path) + " may be read or changed by others; fix: chmod " + mode + " " +
                                  quoted(path) + ", and make new keys if someone else may have read it");
  }
  return {};
}

Result<void> check_folder(const fs::path& folder) {
  struct stat info{};
  if (::lstat(folder.c_str(), &info) != 0) return fail(Code::io, because("cannot look at " + quoted(folder), errno));
  if (!S_ISDIR(info.st_mode)) return fail(Code::config, quoted(folder) + " is no folder (a link is not followed)");
  return check_owner_and_mode(info, folder, "700");
}

Result<void> make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(Code::io, because("cannot make " + quoted(folder), errno));
  }
  return check_folder(folder);
}

Result<void> write_synced(const fs::path& path, std::string_view bytes) {
  const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) return fail(Code::io, because("cannot make " + quoted(path), errno));
  fault_point("keyring.draft");
  errno = 0;
  const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
  if (written != static_cast<ssize_t>(bytes.size()) || ::fsync(file.get()) != 0) {
    const int error = errno != 0 ? errno : ENOSPC;
    ::unlink(path.c_str());
    return fail(Code::io, because("cannot write " + quoted(path), error));
  }
  fault_point("keyring.written");
  return {};
}

Result<void> sync_folder(const fs::path& folder) {
  const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.ok() && ::fsync(file.get()) == 0) return {};
  return fail(Code::io, because("cannot sync " + quoted(folder), errno));
}

fs::path draft_of(const fs::path& path, Random& random) {
  fs::path draft = path;
  draft += ".new-" + random_id(random, 8);
  return draft;
}

// All of it, or one byte more than may be there.
Result<Secret> read_all(int fd, const fs::path& path, std::size_t bytes_max) {
  std::string bytes(bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(fd, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      wipe(bytes);
      return fail(Code::io, because("cannot read " + quoted(path), error));
    }
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  Secret found(bytes.substr(0, size));
  wipe(bytes);
  return found;
}

}  // namespace

Result<Secret> read_private(const fs::path& path, std::size_t bytes_max) {
  const File file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.ok() && errno == ENOENT) return fail(Code::not_found, "there is no " + quoted(path));
  if (!file.ok()) {
    return fail(Code::config, because("cannot open " + quoted(path) + " (a link is not followed)", errno));
  }
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return fail(Code::io, because("cannot look at " + quoted(path), errno));
  if (!S_ISREG(info.st_mode)) return fail(Code::config, quoted(path) + " is no regular file");
  SP_CHECK(check_owner_and_mode(info, path, "600"));
  SP_CHECK(check_folder(path.parent_path()));
  return read_all(file.get(), path, bytes_max);
}

Result<void> create_private(const fs::path& path, std::string_view bytes, Random& random) {
  SP_CHECK(make_folder(path.parent_path()));
  const fs::path draft = draft_of(path, random);
  SP_CHECK(write_synced(draft, bytes));
  const int linked = ::link(draft.c_str(), path.c_str());  // unlike rename, never replaces a file
  const int error = errno;
  fault_point("keyring.linked");
  ::unlink(draft.c_str());
  if (linked != 0 && error == EEXIST) {
    return fail(Code::already_exists, quoted(path) + " exists and is never overwritten");
  }
  if (linked != 0) return fail(Code::io, because("cannot make " + quoted(path), error));
  SP_CHECK(sync_folder(path.parent_path()));
  return sync_folder(path.parent_path().parent_path());
}

Result<void> replace_private(const fs::path& path, std::string_view bytes, Random& random,
                             const std::function<Result<void>(const fs::path& draft)>& check) {
  SP_CHECK(check_folder(path.parent_path()));
  const fs::path draft = draft_of(path, random);
  SP_CHECK(write_synced(draft, bytes));
  if (auto good = check(draft); !good) {
    ::unlink(draft.c_str());
    return good;
  }
  fault_point("keyring.checked");
  if (::rename(draft.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(draft.c_str());
    return fail(Code::io, because("cannot replace " + quoted(path), error));
  }
  fault_point("keyring.named");
  return sync_folder(path.parent_path());
}

Result<void> remove_private(const fs::path& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return fail(Code::io,
                because("cannot remove " + quoted(path), errno) + "; fix: remove it by hand, and see why it stays");
  }
  fault_point("keyring.removed");
  return sync_folder(path.parent_path());
}

void remove_drafts(const fs::path& path) noexcept {
  std::error_code error;
  const std::string begin = path.filename().string() + ".new-";
  for (fs::directory_iterator at(path.parent_path(), error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().starts_with(begin)) ::unlink(at->path().c_str());
  }
}

}  // namespace sallyport::crypto
