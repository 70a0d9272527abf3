// Appends records to one segment file of one worker: write(2) has returned when write() returns, so that the intent stands
// before the effect (design, principle 7). Owned by AuditLog, used by its worker's thread only; AuditLog reads its state
// once a second from another thread, under a lock that is held for the copy alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "engines/merkle/merkle.h"
#include "request/audit/files.h"
#include "request/audit/record.h"
#include "request/audit/segment_seal.h"

namespace sallyport::audit {

enum class Level : std::uint8_t {
  os,    // survives the death of the process
  disk,  // fdatasync before write() returns: survives the loss of power
};

struct WriterOptions {
  std::string dir;  // <home>/audit
  unsigned worker = 0;
  Level level = Level::os;
  std::uint64_t segment_bytes_max = 100U << 20;
  Sealing sealing;  // audit.encryption
};

// How far a segment has come: what a checkpoint signs.
struct SegmentState {
  std::string name;  // file name: seg-<worker>-<start>.jsonl
  std::uint64_t count = 0;
  merkle::Hash head{};
  bool finished = false;  // nothing will be appended any more
};

class AuditWriter {
 public:
  static Result<std::unique_ptr<AuditWriter>> open(WriterOptions options, const Clock& clock);
  AuditWriter(const AuditWriter&) = delete;
  AuditWriter& operator=(const AuditWriter&) = delete;
  ~AuditWriter();

  // `audit_unavailable`: nothing of it was written (what was half written is cut off again). The next call tries anew, and
  // what then succeeds is preceded by an event that says how many records were refused. Nothing is dropped in silence.
  Result<void> write(const AuditRecord& record) {
    const AuditRecord* const one = &record;
    return write_all({&one, 1});
  }
  // All or nothing, one write(2): the outcome of one request and the intent of the next.
  Result<void> write_all(std::span<const AuditRecord* const> records);

  // False after a failed write until one succeeds. Any thread (readiness).
  [[nodiscard]] bool healthy() const noexcept { return healthy_.load(std::memory_order_relaxed); }

  // Any thread. States that changed since the last call: finished segments first, then the open one.
  std::vector<SegmentState> take_changed();
  // Any thread. fdatasync of what take_changed() told of. `audit_unavailable` where the file is gone: the next write() then
  // begins a new segment and says so.
  Result<void> sync();
  // Ends the segment; write() fails from now on. The worker must have stopped.
  void finish();

 private:
  AuditWriter(WriterOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}
  Result<void> open_segment();
  Result<void> rotate();
  Result<void> recover_file();
  Result<void> add(const AuditRecord& record);
  Result<void> seal_segment(const std::string& name);
  Result<void> put_records(std::span<const AuditRecord* const> records, bool resuming);
  Result<void> put_buffer();
  Result<void> failed(std::string why, std::size_t records);
  AuditRecord resumed_event() const;

  WriterOptions options_;
  const Clock& clock_;
  std::optional<SegmentSeal> seal_;     // of the open segment
  std::string buffer_;                  // the lines of one call
  std::vector<merkle::Hash> leaves_;    // of those lines
  std::uint64_t bytes_ = 0;             // of complete lines in the file
  std::uint64_t refused_ = 0;           // since the first failure
  std::string failure_;                 // why, for the event
  bool dirty_ = false;                  // a partial line may stand behind bytes_
  std::atomic<bool> healthy_{true};
  std::atomic<bool> lost_{false};  // the file was removed under us

  std::mutex lock_;  // guards what follows; the worker alone changes it
  Descriptor fd_;
  std::vector<Descriptor> old_;  // finished, not yet synced
  std::string name_;
  merkle::Tree tree_;
  std::uint64_t reported_ = 0;  // count at the last take_changed
  bool closed_ = false;
  std::vector<SegmentState> finished_;
};

}  // namespace sallyport::audit
