// Inside cli only: files that commands write for people, secrets among them. Opened before the work is done whose fruit they
// hold: a key that cannot be kept is not made. (Without a server the work itself may give up root on the way.)
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace sallyport::cli {

class NewFile {
 public:
  // 0600, or 0644 where it is no secret; never one that is there, never through a link. Errors: already_exists, io.
  static Result<NewFile> open(std::string path, bool is_private);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&& other) noexcept;
  ~NewFile();  // removes it, unless write() has succeeded

  Result<void> write(std::string_view content);  // all of it, synced
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  NewFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_ = -1;
  bool written_ = false;
};

}  // namespace sallyport::cli
