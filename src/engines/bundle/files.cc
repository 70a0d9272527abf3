#include "engines/bundle/files.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

namespace sallyport::bundle {
namespace {

namespace fs = std::filesystem;

struct Closer {
  void operator()(archive* opened) const { archive_read_free(opened); }
};
using Archive = std::unique_ptr<archive, Closer>;

std::unexpected<Error> refused(const std::string& why) { return fail(Code::validation, "bundle: " + why); }

class Collector {
 public:
  Result<void> count() {
    if (++entries_ > kEntriesMax) return refused("more than " + std::to_string(kEntriesMax) + " files and folders");
    return {};
  }
  Result<std::string*> add(std::string_view path) {
    SP_TRY(std::string clean, clean_path(path));
    if (files.size() >= kFilesMax) return refused("more than " + std::to_string(kFilesMax) + " files");
    const auto [at, fresh] = files.try_emplace(std::move(clean));
    if (!fresh) return refused("the path " + at->first + " comes twice");
    return &at->second;
  }
  Result<void> append(std::string& file, std::string_view bytes) {
    total_ += bytes.size();
    if (total_ > kTotalBytesMax) return refused("more than 16 MiB unpacked");
    file.append(bytes);
    return {};
  }
  Files files;

 private:
  std::size_t entries_ = 0;
  std::size_t total_ = 0;
};

Result<void> take_entry(archive* from, archive_entry* entry, Collector& into) {
  SP_CHECK(into.count());
  const char* const path = archive_entry_pathname(entry);
  if (path == nullptr) return refused("an entry has no path");
  if (archive_entry_filetype(entry) == AE_IFDIR) {
    if (archive_entry_size(entry) == 0) return {};
    return refused("a folder with bytes of its own");  // they would be unpacked to be passed over
  }
  if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) {
    return refused(std::string(path) + " is no regular file");
  }
  SP_TRY(std::string* const file, into.add(path));
  std::array<char, 16384> block{};
  for (;;) {
    const la_ssize_t size = archive_read_data(from, block.data(), block.size());
    if (size == 0) return {};
    if (size < 0) return refused("the archive is damaged");
    SP_CHECK(into.append(*file, {block.data(), static_cast<std::size_t>(size)}));
  }
}

}  // namespace

Result<std::string> clean_path(std::string_view path) {
  while (path.starts_with('/') || path.starts_with("./")) path.remove_prefix(path.front() == '/' ? 1 : 2);
  if (path.empty() || path.size() > kPathBytesMax) return refused("a path is empty or longer than 255 bytes");
  const auto odd = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\'; };
  if (std::ranges::any_of(path, odd)) return refused("a path holds control characters or a backslash");
  for (std::string_view rest = path; !rest.empty();) {
    const auto end = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, end);
    if (part.empty() || part == "." || part == "..")
      return refused("the path " + std::string(path) + " leaves the bundle");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (path.ends_with('/')) return refused("the path " + std::string(path) + " names no file");
  return std::string(path);
}

Result<Files> unpack(std::string_view bytes) {
  if (bytes.size() > kArchiveBytesMax) return refused("larger than 8 MiB");
  const Archive from(archive_read_new());
  if (!from) return fail(Code::internal, "no memory for an archive");
  archive_read_support_filter_gzip(from.get());
  archive_read_support_format_tar(from.get());
  if (archive_read_open_memory(from.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) return refused("no tar.gz");
  Collector into;
  for (;;) {
    archive_entry* entry = nullptr;
    const int state = archive_read_next_header(from.get(), &entry);
    if (state == ARCHIVE_EOF) break;
    if (state != ARCHIVE_OK) return refused("no tar.gz, or a damaged one");
    SP_CHECK(take_entry(from.get(), entry, into));
  }
  return std::move(into.files);
}

Result<Files> read_folder(const std::string& folder) {
  std::error_code error;
  Collector into;
  fs::recursive_directory_iterator entries(folder, error);
  if (error) return fail(Code::io, "cannot read the bundle " + folder + ": " + error.message());
  for (; entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    SP_CHECK(into.count());
    const auto kind = entries->symlink_status(error).type();
    const std::string path = entries->path().string();
    if (kind == fs::file_type::directory) continue;
    if (kind != fs::file_type::regular) return refused(path + " is no regular file");
    SP_TRY(std::string* const file, into.add(entries->path().lexically_relative(folder).string()));
    std::ifstream in(entries->path(), std::ios::binary);
    if (!in.is_open()) return fail(Code::io, "cannot read " + path);
    std::array<char, 16384> block{};
    while (in.read(block.data(), block.size()) || in.gcount() > 0) {
      SP_CHECK(into.append(*file, {block.data(), static_cast<std::size_t>(in.gcount())}));
    }
    if (in.bad()) return fail(Code::io, "cannot read " + path);
  }
  if (error) return fail(Code::io, "cannot read the bundle " + folder + ": " + error.message());
  return std::move(into.files);
}

}  // namespace sallyport::bundle
