// The audit of one home: a writer for each worker, checkpoints over all of them, recovery at start, retention. `app` owns
// it. checkpoint() may be called from any one thread (the storage thread, once a second); each writer belongs to its worker.
// Exactly one process may own a home (storage/home_lock.h).
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "crypto/signature.h"
#include "request/audit/writer.h"

namespace sallyport::audit {

struct LogOptions {
  std::string dir;            // <home>/audit; made with mode 0700
  unsigned writers = 1;       // one a worker, and one for the control plane
  Level level = Level::os;
  std::uint64_t segment_bytes_max = 100U << 20;
  std::chrono::days retention{90};  // S0-18; 0 keeps everything
  bool sync_checkpoints = true;     // fdatasync before a checkpoint is signed
  Sealing sealing;                  // audit.encryption
};

struct Checkpoint {
  std::uint64_t number = 0;
  WallTime at{};
  std::string hash;  // SHA-256 of the line without its LF, hex
  std::string line;
};

// What the database remembers of the last checkpoint.
struct KnownCheckpoint {
  std::uint64_t number = 0;
  std::string hash;
};

class AuditLog {
 public:
  // Recovers after kill -9 (a torn last line goes to <segment>.torn), signs a start checkpoint, then opens one segment for
  // each writer. `known`: the last checkpoint of the database. What was found at recovery is in notices() and in the log itself.
  static Result<std::unique_ptr<AuditLog>> open(LogOptions options, crypto::SigningKey key,
                                                std::optional<KnownCheckpoint> known, const Clock& clock);
  ~AuditLog();

  [[nodiscard]] AuditWriter& writer(unsigned index) { return *writers_[index]; }
  [[nodiscard]] std::size_t writers() const noexcept { return writers_.size(); }
  [[nodiscard]] bool healthy() const noexcept;  // any thread: every writer's last write succeeded
  // For people, from recovery: torn lines, segments that do not match their checkpoint, roll-back.
  [[nodiscard]] const std::vector<std::string>& notices() const noexcept { return notices_; }
  // The checkpoint that open() signed (key: KeyStore, Purpose::audit_signing); keep it in the database like those of checkpoint().
  [[nodiscard]] const Checkpoint& start() const noexcept { return start_; }

  // Nothing when no segment changed. Keep each one with Repository::put_checkpoint. Once an hour it also deletes segments
  // older than `retention`; their retirement is signed first.
  Result<std::optional<Checkpoint>> checkpoint();
  // The closing checkpoint of a clean stop: after the workers have ended.
  Result<Checkpoint> close();

 private:
  AuditLog(LogOptions options, crypto::SigningKey key, const Clock& clock);
  Result<void> recover(const std::optional<KnownCheckpoint>& known);
  Result<Checkpoint> sign(std::string kind, std::vector<SegmentState> segments, std::vector<std::string> retired);
  Result<void> append_line(const std::string& line);
  std::vector<std::string> old_segments(WallTime now) const;
  void unlink_all(const std::vector<std::string>& names);
  Result<void> open_writers();
  Result<void> write_notices();

  LogOptions options_;
  crypto::SigningKey key_;
  const Clock& clock_;
  std::mutex lock_;  // one checkpoint at a time
  std::vector<std::unique_ptr<AuditWriter>> writers_;
  std::vector<std::string> notices_;
  std::map<std::string, SegmentState> segments_;  // every one that is kept, as last signed
  std::vector<SegmentState> pending_;             // changed, but their checkpoint could not be written
  Checkpoint start_;
  std::uint64_t number_ = 0;  // of the last checkpoint
  std::string previous_;      // its hash
  std::uint64_t file_bytes_ = 0;
  WallTime retention_checked_{};
  Descriptor file_;
};

}  // namespace sallyport::audit
