#include "crypto/master_key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace sallyport::crypto {
namespace {

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

std::string quoted(const std::filesystem::path& path) { return "'" + path.string() + "'"; }

// What the fix needs to be typed is in the message: these texts are shown when the start is refused.
Result<void> check_owner_and_mode(const struct stat& info, const std::filesystem::path& path, const char* mode) {
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

Result<void> check_folder(const std::filesystem::path& folder) {
  struct stat info{};
  if (::lstat(folder.c_str(), &info) != 0) return fail(Code::io, because("cannot look at " + quoted(folder), errno));
  if (!S_ISDIR(info.st_mode)) return fail(Code::config, quoted(folder) + " is no folder (a link is not followed)");
  return check_owner_and_mode(info, folder, "700");
}

Result<void> make_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(Code::io, because("cannot make " + quoted(folder), errno));
  }
  return check_folder(folder);
}

Result<void> write_synced(const std::filesystem::path& path, std::string_view bytes) {
  const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) return fail(Code::io, because("cannot make " + quoted(path), errno));
  const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
  if (written != static_cast<ssize_t>(bytes.size()) || ::fsync(file.get()) != 0) {
    const int error = written < 0 || errno != 0 ? errno : ENOSPC;
    ::unlink(path.c_str());
    return fail(Code::io, because("cannot write " + quoted(path), error));
  }
  return {};
}

void sync_folder(const std::filesystem::path& folder) {
  const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.ok()) ::fsync(file.get());
}

}  // namespace

Result<Secret> read_master_key(const std::filesystem::path& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.ok() && errno == ENOENT) return fail(Code::not_found, "there is no master key at " + quoted(path));
  if (!file.ok())
    return fail(Code::config, because("cannot open " + quoted(path) + " (a link is not followed)", errno));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return fail(Code::io, because("cannot look at " + quoted(path), errno));
  if (!S_ISREG(info.st_mode)) return fail(Code::config, quoted(path) + " is no regular file");
  SP_CHECK(check_owner_and_mode(info, path, "600"));
  SP_CHECK(check_folder(path.parent_path()));
  std::string bytes(kMasterKeyBytes + 1, '\0');
  const ssize_t size = ::read(file.get(), bytes.data(), bytes.size());
  if (size != static_cast<ssize_t>(kMasterKeyBytes)) {
    wipe(bytes);
    return fail(Code::config, quoted(path) +
                                  " must hold exactly 32 bytes; fix: restore it from a backup (without it, stored "
                                  "keys and credentials are lost)");
  }
  bytes.resize(kMasterKeyBytes);
  Secret key(bytes);
  wipe(bytes);
  return key;
}

Result<void> write_master_key(const std::filesystem::path& path, const Secret& key, Random& random) {
  SP_CHECK(make_folder(path.parent_path()));
  std::filesystem::path draft = path;
  draft += ".new-" + random_id(random, 8);
  SP_CHECK(write_synced(draft, key.reveal()));
  const int linked = ::link(draft.c_str(), path.c_str());  // unlike rename, never replaces a key
  const int error = errno;
  ::unlink(draft.c_str());
  if (linked != 0 && error == EEXIST)
    return fail(Code::already_exists, quoted(path) + " exists and is never overwritten");
  if (linked != 0) return fail(Code::io, because("cannot make " + quoted(path), error));
  sync_folder(path.parent_path());
  sync_folder(path.parent_path().parent_path());
  return {};
}

}  // namespace sallyport::crypto
