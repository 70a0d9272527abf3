#include "control/certificate_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "core/secret.h"
#include "json/document.h"
#include "json/writer.h"

namespace sallyport::control {
namespace {

constexpr const char* kJournal = "journal";
constexpr std::size_t kJournalBytesMax = 64U << 20;

class Fd {
 public:
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::unexpected<Error> io(std::string_view what, const std::filesystem::path& path) {
  return fail(Code::io, std::string(what) + " " + path.string() + ": " + std::generic_category().message(errno));
}

Result<void> check_mine(int fd, const std::filesystem::path& path, mode_t not_for_others) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return io("look at", path);
  if (info.st_uid != ::geteuid()) return fail(Code::config, path.string() + " belongs to somebody else");
  if ((info.st_mode & not_for_others) == 0) return {};
  return fail(Code::config, path.string() + " may be read or changed by others; fix: chmod go= " + path.string() +
                                ", and make a new authority if somebody else may have read its key");
}

Result<std::string> read_whole(int fd, const std::filesystem::path& path, std::size_t bytes_max) {
  std::string text;
  for (std::string part(1U << 16, '\0');;) {
    const ssize_t got = ::read(fd, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io("read", path);
    if (got == 0) return text;
    text.append(part, 0, static_cast<std::size_t>(got));
    if (text.size() > bytes_max) return fail(Code::limit, path.string() + " is too long");
  }
}

bool write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return io("sync", folder);
  return {};
}

bool is_name(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos && name.front() != '.' && name != kJournal;
}

std::string journal_text(std::span<const CertificateFile> files) {
  json::Writer w;
  w.array();
  for (const CertificateFile& file : files) {
    w.object()
        .member("name", file.name)
        .member("private", file.is_private)
        .member("content", file.content)
        .end_object();
  }
  w.end_array();
  return w.take();
}

Result<std::vector<CertificateFile>> read_journal(std::string_view text) {
  SP_TRY(const auto document, json::read(text, {.bytes_max = kJournalBytesMax}));
  std::vector<CertificateFile> files;
  for (const json::Value one : document.root().elements()) {
    const auto name = one.string_at("name"), content = one.string_at("content");
    const auto closed = one.find("private");
    if (!name || !content || !closed || !is_name(*name)) return fail(Code::config, "a journal that cannot be read");
    files.push_back({std::string(*name), std::string(*content), closed->as_bool().value_or(true)});
  }
  return files;
}

}  // namespace

CertificateFiles::CertificateFiles(std::filesystem::path folder, int lock, Step step)
    : folder_(std::move(folder)), lock_(lock), step_(std::move(step)) {}

CertificateFiles::CertificateFiles(CertificateFiles&& other) noexcept
    : folder_(std::move(other.folder_)), lock_(std::exchange(other.lock_, -1)), step_(std::move(other.step_)) {}

CertificateFiles& CertificateFiles::operator=(CertificateFiles&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(lock_, other.lock_);
  std::swap(step_, other.step_);
  return *this;
}

CertificateFiles::~CertificateFiles() {
  if (lock_ >= 0) ::close(lock_);
}

Result<CertificateFiles> CertificateFiles::open(const std::filesystem::path& folder, Step step) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return io("make", folder);
  const Fd dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (dir.get() < 0)
    return fail(Code::config, folder.string() + " is no folder that can be entered (a link is not followed)");
  SP_CHECK(check_mine(dir.get(), folder, S_IWGRP | S_IWOTH));
  const std::filesystem::path path = folder / "lock";
  Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (lock.get() < 0) return io("open", path);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Code::conflict, folder.string() + " is in use by another process");
  }
  CertificateFiles files(folder, lock.release(), std::move(step));
  SP_CHECK(files.recover());
  return files;
}

Result<std::string> CertificateFiles::read(const std::string& name, std::size_t bytes_max) const {
  const auto path = folder_ / name;
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0 && errno == ENOENT) return fail(Code::not_found, "there is no " + path.string());
  if (file.get() < 0) return fail(Code::config, path.string() + " cannot be opened (a link is not followed)");
  const bool is_public = name.ends_with(".crt") || name.ends_with(".pem");
  SP_CHECK(check_mine(file.get(), path, is_public ? S_IWGRP | S_IWOTH : S_IRWXG | S_IRWXO));
  return read_whole(file.get(), path, bytes_max);
}

Result<void> CertificateFiles::done(std::string_view step) const {
  if (!step_ || step_(step)) return {};
  return fail(Code::io, "stopped after " + std::string(step));
}

// Never under its own name before all of it is on the disk.
Result<void> CertificateFiles::put(const CertificateFile& file) {
  const auto path = folder_ / file.name, draft = folder_ / (file.name + ".new");
  ::unlink(draft.c_str());  // of a process that died
  const mode_t mode = file.is_private ? 0600 : 0644;
  const Fd out(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (out.get() < 0 || ::fchmod(out.get(), mode) != 0 || !write_whole(out.get(), file.content) ||
      ::fsync(out.get()) != 0) {
    return io("write", draft);
  }
  SP_CHECK(done("draft of " + file.name));
  if (::rename(draft.c_str(), path.c_str()) != 0) return io("write", path);
  return done(file.name);
}

Result<void> CertificateFiles::carry_out(std::span<const CertificateFile> files) {
  for (const CertificateFile& file : files) SP_CHECK(put(file));
  SP_CHECK(sync_folder(folder_));
  SP_CHECK(done("files"));
  const auto journal = folder_ / kJournal;
  if (::unlink(journal.c_str()) != 0) return io("remove", journal);
  SP_CHECK(sync_folder(folder_));
  return done("end");
}

Result<void> CertificateFiles::replace(std::span<const CertificateFile> files) {
  for (const CertificateFile& file : files) {
    if (!is_name(file.name)) return fail(Code::internal, "a file that cannot be called " + file.name);
  }
  SP_CHECK(recover());
  CertificateFile journal{kJournal, journal_text(files), true};
  const auto noted = put(journal);
  wipe(journal.content);
  if (!noted) return noted;
  SP_CHECK(sync_folder(folder_));
  SP_CHECK(done("journal"));
  return carry_out(files);
}

Result<void> CertificateFiles::recover() {
  auto text = read(kJournal, kJournalBytesMax);
  if (!text && text.error().code == Code::not_found) return {};
  if (!text) return fail(text.error());
  auto files = read_journal(*text);
  wipe(*text);
  if (!files) return fail(Code::config, (folder_ / kJournal).string() + " cannot be read");
  const auto carried = carry_out(*files);
  for (CertificateFile& file : *files) wipe(file.content);
  return carried;
}

}  // namespace sallyport::control
