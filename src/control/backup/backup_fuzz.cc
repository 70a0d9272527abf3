// A backup's head, and its content as if the keys had let it through: whatever the bytes are, nothing is written outside the
// folder, and no more than there are.
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "control/backup/reader.h"

using namespace sallyport;

namespace {

struct Folder {
  Folder() {
    path = (std::filesystem::temp_directory_path() / "sallyport-fuzz-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) std::abort();
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (const auto header = backup::read_header(bytes); header && backup::write_header(*header) != bytes) std::abort();
  std::size_t at = 0;
  const auto source = [&](std::span<char> out) -> Result<std::size_t> {
    const std::size_t got = std::min(out.size(), bytes.size() - at);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), got, out.begin());
    at += got;
    return got;
  };
  auto content = backup::ContentReader::open(source, bytes.size());
  if (!content) return 0;
  const auto again = backup::read_manifest(backup::write_manifest(content->manifest()), bytes.size());
  if (!again || *again != content->manifest()) std::abort();
  static const Folder kFolder;
  const std::string into = kFolder.path + "/in";
  std::filesystem::create_directory(into);
  (void)content->extract(into, [](const backup::Entry&) { return true; }, [] { return true; });
  std::filesystem::remove_all(into);
  if (!std::filesystem::is_empty(kFolder.path)) std::abort();
  return 0;
}
