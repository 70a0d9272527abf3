// Files and folders as a backup needs them: private (0600, 0700), through no link unless that is said, an error where something
// is as it should not be. Blocking; on the thread that makes a backup, and in the CLI. Internal to control/backup and to app.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace sallyport::backup {

enum class Links : std::uint8_t { refuse, follow };

class File {
 public:
  // Code::not_found where there is none; Code::io for anything but a regular file, behind the links where they are followed.
  static Result<File> to_read(const std::string& path, Links links = Links::refuse);
  static Result<File> make(const std::string& path);  // 0600; Code::already_exists
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(path_, other.path_);
    return *this;
  }
  ~File();

  [[nodiscard]] Result<std::uint64_t> size() const;
  // As many bytes as there are, at most those of `out`; fewer only at the end.
  [[nodiscard]] Result<std::size_t> read(std::span<char> out) const;
  Result<void> write(std::string_view bytes);
  Result<void> sync();

 private:
  File(int fd, std::string path) noexcept : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::string path_;
};

// A folder of its own that is removed as remove_scratch() does when this goes. Until then it is locked (flock on a file in it), so
// that others can tell it from what a crash left.
class Scratch {
 public:
  static Result<Scratch> make(std::string path);  // 0700; Code::already_exists
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})), lock_(std::exchange(other.lock_, -1)) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  void keep() { path_.clear(); }

 private:
  Scratch(std::string path, int lock) noexcept : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_;
};
// The same for one that a crash left; one that lives is passed over.
Result<void> sweep_scratch(const std::string& path);
// With what lies in it in the clear (keys, certificates' keys, secret files) overwritten first.
Result<void> remove_scratch(const std::string& path);

struct Found {
  std::string name;  // below the folder, "a/b"
  std::string path;
};
// Regular files below `folder`, by name; none where there is no such folder. What is no file and no folder (links, sockets) goes
// to `passed_over`. Code::limit beyond `most` files or 8 levels.
Result<std::vector<Found>> files_below(const std::string& folder, std::size_t most,
                                       std::vector<std::string>& passed_over);

bool exists(const std::string& path);  // a dangling link too
Result<void> make_folder(const std::string& path);  // 0700, with those above it; it may be there
Result<void> sync_folder(const std::string& path);
Result<void> sync_tree(const std::string& folder);  // every file and folder below it, and itself
Result<void> rename_file(const std::string& from, const std::string& to);
Result<void> remove_all(const std::string& path);
// Zeroes in the place of what the regular files below it hold, synced; as far as that can be done.
void wipe_below(const std::string& folder) noexcept;
// Error with the system's own words.
std::unexpected<Error> io_error(std::string_view what, const std::string& path);

}  // namespace sallyport::backup
