// For tests only: unpacks an archive of ../shared/data beside the clone into a folder of its own.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern char** environ;

namespace sallyport::testing {

class Archive {
 public:
  explicit Archive(const std::string& name) {
    const std::string archive = std::string(SALLYPORT_SOURCE_DIR) + "/../shared/data/" + name;
    if (!std::filesystem::exists(archive)) return;
    std::string folder = (std::filesystem::temp_directory_path() / "sallyport-test-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) return;
    folder_ = folder;
    const char* const argv[] = {"tar", "xzf", archive.c_str(), "-C", folder.c_str(), nullptr};
    pid_t child = 0;
    int status = 1;
    if (posix_spawnp(&child, "tar", nullptr, nullptr, const_cast<char* const*>(argv), environ) == 0) {
      waitpid(child, &status, 0);
    }
    present_ = status == 0;
  }
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;
  ~Archive() {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] bool present() const { return present_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
  bool present_ = false;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace sallyport::testing
