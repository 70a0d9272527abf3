// A private audit folder with a fixed key and a clock of its own. Tests only.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/encoding.h"
#include "request/audit/audit.h"
#include "request/audit/verify.h"

namespace sallyport::audit {

class TestAudit {
 public:
  TestAudit() {
    // Memory where there is some: the tests of tampering make thousands of small files.
    const bool memory = ::access("/dev/shm", W_OK) == 0;
    std::string pattern =
        (memory ? std::string("/dev/shm") : std::filesystem::temp_directory_path().string()) + "/sallyport-audit-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
  }
  TestAudit(const TestAudit&) = delete;
  TestAudit& operator=(const TestAudit&) = delete;
  ~TestAudit() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  static crypto::SigningKey key(char seed = 's') {
    return std::move(*crypto::SigningKey::from_seed(as_bytes(std::string(32, seed))));
  }
  Result<std::unique_ptr<AuditLog>> open(LogOptions options = {}, std::optional<KnownCheckpoint> known = {}) {
    options.dir = dir();
    options.sync_checkpoints = false;
    return AuditLog::open(std::move(options), key(), std::move(known), clock);
  }
  AuditRecord record(Kind kind, std::string id) {
    clock.advance(std::chrono::microseconds(1001));
    AuditRecord out;
    out.kind = kind;
    out.time = clock.wall();
    out.request_id = std::move(id);
    out.event_type = kToolExecution;
    out.principal = "key:abc";
    out.server = "calc";
    out.tool = "add";
    out.action = "call";
    out.result = "success";
    return out;
  }
  [[nodiscard]] std::string root() const { return root_; }
  [[nodiscard]] std::string dir() const { return root_ + "/audit"; }
  [[nodiscard]] std::string path(const std::string& name) const { return dir() + "/" + name; }

  static std::string read(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
  }
  static void write(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
  // Name and bytes of every file.
  [[nodiscard]] std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(dir())) out[entry.path().filename()] = read(entry.path());
    return out;
  }
  [[nodiscard]] std::vector<std::string> segments() const {
    std::vector<std::string> out;
    for (const auto& [name, bytes] : files()) {
      if (name.starts_with("seg-") && name.ends_with(".jsonl")) out.push_back(name);
    }
    return out;
  }

  FakeClock clock;

 private:
  std::string root_;
};

inline KnownCheckpoint known(const Checkpoint& checkpoint) { return {checkpoint.number, checkpoint.hash}; }

inline std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}
inline std::string join(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

}  // namespace sallyport::audit
