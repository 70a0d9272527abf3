// The files of a bundle, out of a tar.gz or a folder: bounded, regular, each path once. Paths are relative, with '/', without
// "." or "..". Pure but for read_folder; any thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sallyport::bundle {

inline constexpr std::size_t kArchiveBytesMax = 8U << 20;
inline constexpr std::size_t kFilesMax = 1000;
inline constexpr std::size_t kEntriesMax = 2 * kFilesMax;  // files and folders
inline constexpr std::size_t kTotalBytesMax = 16U << 20;  // unpacked
inline constexpr std::size_t kPathBytesMax = 255;

using Files = std::map<std::string, std::string, std::less<>>;  // by path

// Errors, all Code::validation: no tar.gz, cut off, over a limit, a link or device, a path that leaves the bundle or comes twice.
Result<Files> unpack(std::string_view archive);
// The same of a folder; what is no regular file or folder is refused. Code::io where it cannot be read.
Result<Files> read_folder(const std::string& folder);
// "/a/b" and "./a/b" are "a/b". Code::validation: empty, "..", too long, or with bytes that no path needs.
Result<std::string> clean_path(std::string_view path);

}  // namespace sallyport::bundle
