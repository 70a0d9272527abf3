// A small home of files, and keys for its backups. Tests only.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>

#include "control/backup/create.h"
#include "core/encoding.h"
#include "crypto/aead.h"

namespace sallyport::backup {

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

// In memory where the machine has a place for that: what these tests write is synced again and again, and a busy disk takes
// its time over each. A process that is killed leaves the same there.
class TestFolder {
 public:
  TestFolder() {
    std::error_code error;
    const auto space = std::filesystem::space("/dev/shm", error);
    const bool memory = !error && space.available > (48U << 20) && ::access("/dev/shm", W_OK | X_OK) == 0;
    const auto base = memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
    std::string pattern = (base / "sallyport-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path(const std::string& name = {}) const {
    return name.empty() ? path_ : path_ + "/" + name;
  }

 private:
  std::string path_;
};

// What a key-encryption key does, by the least that does it.
inline HomeKeys keys_of(const crypto::LockedKey& key, Random& random) {
  return {[&](const crypto::LockedKey& wanted, std::string_view binding) {
            return crypto::seal(key.bytes(), as_text(wanted.bytes()), binding, random);
          },
          [&](std::string_view wrapped, std::string_view binding) -> Result<crypto::LockedKey> {
            SP_TRY(const std::string plain, crypto::open(key.bytes(), wrapped, binding));
            return crypto::LockedKey::copy_of(as_bytes(plain));
          }};
}

// A home with a file that stands for the database: check_home wants it whole.
class TestBackups {
 public:
  TestBackups() {
    write("sallyport.db", "DATABASE one");
    write("sallyport.yaml", "listen:\n  port: 8000\n");
    write("policies/a.rego", "package a\n");
    write("certs/leaf.key", "PRIVATE certs-canary");
    write("secrets/token", "secrets-canary");
    write("keys/keyring", "keyring-canary");
    write("audit/segment-1", std::string(700'000, 'x'));
  }
  void write(const std::string& name, const std::string& bytes) const { write_file(home(name), bytes); }
  [[nodiscard]] std::string home(const std::string& name = {}) const {
    return folder.path("home") + (name.empty() ? "" : "/" + name);
  }
  [[nodiscard]] Places places() const {
    return {home(), home("sallyport.db"), home("sallyport.yaml"), home("policies"), home("audit"), home("backups")};
  }
  [[nodiscard]] Tools tools() {
    Tools tools{clock, random, keys_of(key, random), {}, {}, {}, "test"};
    tools.copy_database = [](const std::string& from, const std::string& to, const GoOn&) -> Result<void> {
      write_file(to, read_file(from));
      return {};
    };
    tools.check_home = [](const std::string& at) -> Result<void> {
      if (read_file(at + "/sallyport.db").starts_with("DATABASE ")) return {};
      return fail(Code::storage, "the database is damaged");
    };
    tools.keys_named_in = [](const std::string&) { return Result<std::vector<std::uint32_t>>({1, 2}); };
    return tools;
  }
  [[nodiscard]] Result<Made> make(const Wish& wish = {}) {
    clock.advance(std::chrono::seconds(60));
    return create(places(), tools(), wish);
  }
  [[nodiscard]] std::string file(const Made& made) const { return home("backups/" + made.name); }
  [[nodiscard]] Result<Verified> verify(const std::string& path, const Secret* password = nullptr) {
    const Tools with = tools();
    return backup::verify(path, {&with.keys, password}, home(), with);
  }
  // Every regular file below `at`, and what is in it.
  static std::map<std::string, std::string> tree(const std::string& at) {
    std::map<std::string, std::string> out;
    for (const auto& one : std::filesystem::recursive_directory_iterator(at)) {
      if (!one.is_regular_file()) continue;
      out[one.path().string().substr(at.size() + 1)] = read_file(one.path().string());
    }
    return out;
  }

  TestFolder folder;
  FakeClock clock;
  SystemRandom random;
  crypto::LockedKey key = crypto::LockedKey::random(random);
};

}  // namespace sallyport::backup
