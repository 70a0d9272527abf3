// Text looked at eight or sixteen bytes at a time: the loops under every header, every audit field, every redacted string.
// Nothing is read outside of what is given. Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace sallyport::ascii {

// Printable ASCII that a JSON string shows as it is: neither quote nor backslash.
constexpr bool plain(char c) noexcept {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F && c != '"' && c != '\\';
}

constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// How many bytes at the start of `text` are plain.
std::size_t plain_run(std::string_view text) noexcept;

// How many bytes at the start of `text` are ASCII.
std::size_t ascii_run(std::string_view text) noexcept;

// How many control characters other than HTAB stand in `text`; with `high`, bytes beyond ASCII are counted too.
std::size_t count_controls(std::string_view text, bool high) noexcept;

// Equal but for the case of ASCII letters? Texts of one size.
bool equal_letters(std::string_view a, std::string_view b) noexcept;

// Copies `text` to `out`, where 16 bytes more than its size may be written. False: some of it is not plain.
bool copy_plain(char* out, std::string_view text) noexcept;

}  // namespace sallyport::ascii
