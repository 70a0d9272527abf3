// A small home of files, and keys for its backups. Tests only.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "control/backup/create.h"
#include "control/backup/test_folder.h"
#include "core/encoding.h"
#include "crypto/aead.h"

namespace sallyport::backup {

// What a key-encryption key does, by the least that does it.
inline HomeKeys keys_of(const crypto::LockedKey& key, Random& random) {
  return {[&](const crypto::LockedKey& wanted, std::string_view binding) {
            return crypto::seal(key.bytes(), as_text(wanted.bytes()), binding, random);
          },
          [&](std::string_view wrapped, std::string_view binding) -> Result<crypto::LockedKey> {
            SP_TRY(const std::string plain, crypto::open(key.bytes(), wrapped, binding));
            return crypto::LockedKey::copy_of(as_bytes(plain));
          },
          nullptr,
          {}};
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
    tools.check_home = [](const std::string& at) -> Result<std::vector<std::string>> {
      if (read_file(at + "/sallyport.db").starts_with("DATABASE ")) return std::vector<std::string>();
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
