// Small file helpers of the audit stage: owner-only files, whole writes, lines of large files. Internal. `io` errors carry
// the name and the system's text. Callers' threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace sallyport::audit {

inline constexpr std::string_view kCheckpointsFile = "checkpoints.jsonl";
inline constexpr std::string_view kPublicKeyFile = "public.key";

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_ = -1;
};

std::string system_text(std::string_view what, int error);
// O_CLOEXEC and O_NOFOLLOW are added; mode 0600.
Result<Descriptor> open_file(const std::string& path, int flags);
// 0, or the errno of the write that failed; bytes before it may have been written.
int write_whole(int fd, std::string_view bytes) noexcept;
Result<std::string> read_small(const std::string& path, std::size_t bytes_max);
// Replaces the file by rename, synced.
Result<void> write_small(const std::string& path, std::string_view bytes);
Result<void> make_private_dir(const std::string& dir);
Result<void> sync_dir(const std::string& dir);
// Names of seg-*.jsonl, sorted.
Result<std::vector<std::string>> segment_names(const std::string& dir);

// Calls `line` for each complete line (without its LF) until it returns false. A line over kLineBytesMax is given cut at
// that length, once. What stands behind the last LF is returned.
struct Rest {
  std::uint64_t offset = 0;  // of the first byte behind the last complete line
  std::uint64_t bytes = 0;   // behind it
};
Result<Rest> each_line(const std::string& path, const std::function<bool(std::string_view)>& line);
// The same from the end backwards; a half line at the end is passed over.
Result<void> each_line_backwards(const std::string& path, const std::function<bool(std::string_view)>& line);

// Moves what stands behind `offset` to the end of `<path without .jsonl>.torn` and cuts it off. Returns its size.
Result<std::uint64_t> cut_torn(const std::string& path, const Rest& rest);

}  // namespace sallyport::audit
