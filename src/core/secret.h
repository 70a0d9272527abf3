// A secret in memory: zeroed when it goes, not copyable by accident, not printable, compared in constant time. Owned by
// one object at a time; any thread may read it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace sallyport {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) noexcept : value_(std::move(value)) {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  [[nodiscard]] Secret clone() const { return Secret(value_); }
  // The bytes themselves: call it only where they are used (hash, header, environment of a child).
  [[nodiscard]] std::string_view reveal() const noexcept { return value_; }
  [[nodiscard]] bool empty() const noexcept { return value_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return value_.size(); }

 private:
  void wipe() noexcept;
  std::string value_;
};

// Time depends on the lengths only.
[[nodiscard]] bool equal_constant_time(std::span<const std::byte> a, std::span<const std::byte> b) noexcept;

// Overwrites `text` so that the compiler cannot drop it.
void wipe(std::string& text) noexcept;

}  // namespace sallyport
