// Cuts a byte stream into lines, with a cap: a server that never ends its line must not fill the memory. One owner.
#pragma once

#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::upstream {

class LineBuffer {
 public:
  explicit LineBuffer(std::size_t line_max) : line_max_(line_max) {}

  // Room to read into; commit what was read before the next call.
  std::span<char> prepare(std::size_t bytes) {
    compact();
    filled_ = data_.size();
    data_.resize(filled_ + bytes);
    return {data_.data() + filled_, bytes};
  }
  void commit(std::size_t bytes) { data_.resize(filled_ + bytes); }

  // The next whole line without its LF (or CR LF); valid until prepare().
  std::optional<std::string_view> next() {
    const char* from = data_.data() + searched_;
    const void* found = data_.size() > searched_ ? std::memchr(from, '\n', data_.size() - searched_) : nullptr;
    if (found == nullptr) {
      searched_ = data_.size();
      return std::nullopt;
    }
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - data_.data());
    std::string_view line(data_.data() + start_, end - start_);
    start_ = searched_ = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  // After next() said none: the unfinished line is over the cap.
  [[nodiscard]] bool overflowed() const { return data_.size() - start_ > line_max_; }
  // What is left of an unfinished line.
  [[nodiscard]] std::string_view rest() const { return std::string_view(data_).substr(start_); }

 private:
  void compact() {
    if (start_ == 0) return;
    data_.erase(0, start_);
    searched_ -= start_;
    start_ = 0;
    if (data_.empty() && data_.capacity() > (1U << 20)) data_ = {};
  }

  std::size_t line_max_;
  std::string data_;
  std::size_t start_ = 0;     // of the current line
  std::size_t searched_ = 0;  // no LF before
  std::size_t filled_ = 0;
};

}  // namespace sallyport::upstream
