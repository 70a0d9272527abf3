#include "request/audit/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "request/audit/line.h"

namespace sallyport::audit {
namespace {

constexpr std::size_t kChunk = 256 << 10;

Result<std::size_t> read_at(int fd, char* out, std::size_t size, std::uint64_t offset, const std::string& path) {
  for (;;) {
    const ssize_t got = ::pread(fd, out, size, static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail(Code::io, system_text("read " + path, errno));
  }
}

// AUDIT_LOG_PATH=./logs/audit.log names two folders of which neither is there at first (S2-33). What cannot be made is told by
// whoever makes the last one.
void make_missing_above(const std::string& dir) {
  for (std::size_t at = dir.find('/', 1); at != std::string::npos; at = dir.find('/', at + 1)) {
    (void)::mkdir(dir.substr(0, at).c_str(), 0700);
  }
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

std::string system_text(std::string_view what, int error) {
  return std::string(what) + ": " + std::generic_category().message(error);
}

Result<Descriptor> open_file(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(errno == ENOENT ? Code::not_found : Code::io, system_text("open " + path, errno));
  return Descriptor(fd);
}

int write_whole(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return put == 0 ? EIO : errno;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return 0;
}

Result<std::string> read_small(const std::string& path, std::size_t bytes_max) {
  SP_TRY(Descriptor file, open_file(path, O_RDONLY));
  std::string text(bytes_max + 1, '\0');
  SP_TRY(const std::size_t got, read_at(file.get(), text.data(), text.size(), 0, path));
  if (got > bytes_max) return fail(Code::io, path + " is too large");
  text.resize(got);
  return text;
}

Result<void> write_small(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".new";
  SP_TRY(Descriptor file, open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC));
  if (const int error = write_whole(file.get(), bytes)) return fail(Code::io, system_text("write " + temporary, error));
  if (::fsync(file.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    return fail(Code::io, system_text("write " + path, errno));
  }
  return {};
}

Result<void> make_private_dir(const std::string& dir) {
  make_missing_above(dir);
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return fail(Code::io, system_text("make " + dir, errno));
  struct stat info{};
  if (::lstat(dir.c_str(), &info) != 0) return fail(Code::io, system_text("look at " + dir, errno));
  if (!S_ISDIR(info.st_mode)) return fail(Code::io, dir + " is no folder");
  if ((info.st_mode & 077U) != 0 && ::chmod(dir.c_str(), 0700) != 0) {
    return fail(Code::io, system_text("narrow the permissions of " + dir, errno));
  }
  return {};
}

Result<void> sync_dir(const std::string& dir) {
  SP_TRY(Descriptor file, open_file(dir, O_RDONLY | O_DIRECTORY));
  if (::fsync(file.get()) != 0) return fail(Code::io, system_text("sync " + dir, errno));
  return {};
}

Result<std::vector<std::string>> segment_names(const std::string& dir) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(dir.c_str()), ::closedir);
  if (!folder) return fail(errno == ENOENT ? Code::not_found : Code::io, system_text("list " + dir, errno));
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with("seg-") && name.ends_with(".jsonl")) names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Result<Rest> each_line(const std::string& path, const std::function<bool(std::string_view)>& line) {
  SP_TRY(Descriptor file, open_file(path, O_RDONLY));
  ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  std::string held;  // from the first byte not yet given
  std::string chunk(kChunk, '\0');
  Rest rest;
  for (;;) {
    SP_TRY(const std::size_t got, read_at(file.get(), chunk.data(), chunk.size(), rest.offset + held.size(), path));
    if (got == 0) break;
    held.append(chunk, 0, got);
    std::size_t start = 0;
    for (std::size_t end; (end = held.find('\n', start)) != std::string::npos; start = end + 1) {
      if (!line(std::string_view(held).substr(start, end - start))) return rest;
      rest.offset += end - start + 1;
    }
    held.erase(0, start);
    if (held.size() > kLineBytesMax) {
      line(std::string_view(held).substr(0, kLineBytesMax + 1));
      return rest;
    }
  }
  rest.bytes = held.size();
  return rest;
}

Result<void> each_line_backwards(const std::string& path, const std::function<bool(std::string_view)>& line) {
  SP_TRY(Descriptor file, open_file(path, O_RDONLY));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return fail(Code::io, system_text("look at " + path, errno));
  auto offset = static_cast<std::uint64_t>(info.st_size);
  std::string held;      // from `offset` on, up to the last LF not yet given
  bool first = true;     // nothing was given: what stands behind the last LF is a half line
  while (offset > 0 && held.size() <= kLineBytesMax) {
    const std::size_t size = std::min<std::uint64_t>(kChunk, offset);
    std::string chunk(size, '\0');
    SP_TRY(const std::size_t got, read_at(file.get(), chunk.data(), size, offset - size, path));
    if (got != size) return fail(Code::io, path + " became shorter while it was read");
    offset -= size;
    held.insert(0, chunk);
    for (std::size_t feed; (feed = held.rfind('\n')) != std::string::npos; held.resize(feed)) {
      if (!std::exchange(first, false) && !line(std::string_view(held).substr(feed + 1))) return {};
    }
  }
  if (!first && held.size() <= kLineBytesMax) line(held);
  return {};
}

Result<std::uint64_t> cut_torn(const std::string& path, const Rest& rest) {
  if (rest.bytes == 0) return 0;
  SP_TRY(Descriptor file, open_file(path, O_RDWR));
  std::string bytes(std::min<std::uint64_t>(rest.bytes, kLineBytesMax), '\0');
  SP_TRY(const std::size_t got, read_at(file.get(), bytes.data(), bytes.size(), rest.offset, path));
  bytes.resize(got);
  bytes.push_back('\n');
  SP_TRY(Descriptor torn, open_file(path.substr(0, path.rfind('.')) + ".torn", O_WRONLY | O_CREAT | O_APPEND));
  if (const int error = write_whole(torn.get(), bytes)) return fail(Code::io, system_text("keep the torn line", error));
  if (::ftruncate(file.get(), static_cast<off_t>(rest.offset)) != 0) {
    return fail(Code::io, system_text("cut " + path, errno));
  }
  return rest.bytes;
}

}  // namespace sallyport::audit
