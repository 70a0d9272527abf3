// Offline check of an audit folder: every edit, drop, swap, insertion, truncation, missing segment and roll-back, by the first
// record that is wrong. Reads files only; may run beside a living gateway. One thread; memory does not grow with the log,
// but for the ids of calls that have no outcome yet. tests/support/verify_audit.py is the second implementation.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "request/audit/log.h"

namespace sallyport::audit {

struct Finding {
  std::string file;        // name inside the folder
  std::uint64_t line = 0;  // 1-based; 0: the file itself
  std::string why;
};

struct Report {
  bool intact = false;
  std::optional<Finding> broken;      // the first one
  std::uint64_t records = 0;          // that were read and match
  std::uint64_t unsealed = 0;         // of them not yet under a checkpoint
  std::uint64_t segments = 0;
  std::uint64_t checkpoints = 0;
  std::vector<Finding> torn;          // half lines at the end, behind the last checkpoint: a crash, not tampering
  std::vector<Finding> unfinished;    // intents without an outcome (the first 1,000), information
};

struct VerifyOptions {
  std::optional<KnownCheckpoint> known;    // the database's last one: without it a roll-back cannot be seen
  std::optional<std::string> public_key;   // 32 bytes, from the KeyStore; without it <dir>/public.key is believed
  std::span<const std::byte> sealing_key;  // Purpose::audit_encryption's: sealed records are opened too, each must open
};

// An error only where the folder cannot be read at all; everything else is in the Report.
Result<Report> verify(const std::string& dir, const VerifyOptions& options = {});

}  // namespace sallyport::audit
