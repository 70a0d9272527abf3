// The settings of backups (docs/backup.md). A part of Settings (config/settings.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sallyport::config {

struct BackupSettings {
  std::chrono::hours every{0};  // 0: only when it is asked for
  std::uint32_t keep = 7;
  std::string path;               // absolute folder
  std::string recovery_password;  // reference; empty: none
  bool with_audit = false;
  bool incremental = false;
  bool verify = true;
  friend bool operator==(const BackupSettings&, const BackupSettings&) = default;
};

}  // namespace sallyport::config
