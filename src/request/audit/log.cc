#include "request/audit/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/encoding.h"
#include "request/audit/checkpoint.h"
#include "request/audit/files.h"
#include "request/audit/recovery.h"

namespace sallyport::audit {
namespace {

constexpr std::uint64_t kFullEvery = 1000;  // recovery reads back at most this many checkpoints

}  // namespace

AuditLog::AuditLog(LogOptions options, crypto::SigningKey key, const Clock& clock)
    : options_(std::move(options)), key_(std::move(key)), clock_(clock) {}

AuditLog::~AuditLog() = default;

Result<std::unique_ptr<AuditLog>> AuditLog::open(LogOptions options, crypto::SigningKey key,
                                                 std::optional<KnownCheckpoint> known, const Clock& clock) {
  SP_CHECK(make_private_dir(options.dir));
  std::unique_ptr<AuditLog> log(new AuditLog(std::move(options), std::move(key), clock));
  SP_CHECK(log->recover(known));
  SP_CHECK(log->open_writers());
  SP_CHECK(log->write_notices());
  return log;
}

Result<void> AuditLog::recover(const std::optional<KnownCheckpoint>& known) {
  const std::string key_path = options_.dir + "/" + std::string(kPublicKeyFile);
  const std::string key_text = hex_encode(key_.public_key()) + "\n";
  if (read_small(key_path, 256) != key_text) SP_CHECK(write_small(key_path, key_text));
  SP_TRY(Recovered found, recover_dir(options_.dir, known));
  number_ = found.number;
  previous_ = std::move(found.previous);
  file_bytes_ = found.checkpoint_bytes;
  notices_ = std::move(found.notices);
  segments_ = std::move(found.segments);
  unlink_all(found.retired);
  SP_TRY(file_, open_file(options_.dir + "/" + std::string(kCheckpointsFile), O_WRONLY | O_CREAT | O_APPEND));
  // Before any segment of this run exists: what is new behind a closing checkpoint is not ours.
  SP_TRY(start_, sign("start", {}, {}));
  return {};
}

Result<void> AuditLog::open_writers() {
  for (unsigned i = 0; i < options_.writers; ++i) {
    SP_TRY(auto writer, AuditWriter::open({options_.dir, i, options_.level, options_.segment_bytes_max, options_.sealing}, clock_));
    writers_.push_back(std::move(writer));
  }
  return {};
}

Result<void> AuditLog::write_notices() {
  for (const std::string& notice : notices_) {
    AuditRecord record;
    record.time = clock_.wall();
    record.event_type = kSecurity;
    record.action = "audit_recovery";
    record.reason = notice;
    SP_CHECK(writers_.front()->write(record));
  }
  return {};
}

bool AuditLog::healthy() const noexcept {
  return std::ranges::all_of(writers_, [](const auto& writer) { return writer->healthy(); });
}

Result<std::optional<Checkpoint>> AuditLog::checkpoint() {
  const std::lock_guard guard(lock_);
  for (const auto& writer : writers_) std::ranges::move(writer->take_changed(), std::back_inserter(pending_));
  const WallTime now = clock_.wall();
  std::vector<std::string> retired;
  if (options_.retention.count() > 0 && now - retention_checked_ >= std::chrono::hours(1)) {
    retired = old_segments(now);
    retention_checked_ = now;
  }
  if (pending_.empty() && retired.empty()) return std::nullopt;
  Result<void> synced;
  for (const auto& writer : writers_) {
    if (!options_.sync_checkpoints) break;
    if (auto one = writer->sync(); !one) synced = std::move(one);
  }
  // A loss is reported, but what stands is signed all the same.
  SP_TRY(Checkpoint signed_one, sign((number_ + 1) % kFullEvery == 0 ? "full" : "tick", pending_, retired));
  pending_.clear();
  unlink_all(retired);
  if (!synced) return fail(std::move(synced).error());
  return signed_one;
}

Result<Checkpoint> AuditLog::close() {
  for (const auto& writer : writers_) writer->finish();
  const std::lock_guard guard(lock_);
  for (const auto& writer : writers_) std::ranges::move(writer->take_changed(), std::back_inserter(pending_));
  for (const auto& writer : writers_) {
    if (options_.sync_checkpoints) (void)writer->sync();
  }
  SP_TRY(Checkpoint last, sign("close", pending_, {}));
  pending_.clear();
  return last;
}

Result<Checkpoint> AuditLog::sign(std::string kind, std::vector<SegmentState> segments, std::vector<std::string> retired) {
  std::map<std::string, SegmentState> all = segments_;
  for (const SegmentState& segment : segments) all[segment.name] = segment;
  for (const std::string& name : retired) all.erase(name);
  if (kind == "start" || kind == "full") {
    segments.clear();
    for (const auto& [name, segment] : all) segments.push_back(segment);
  }
  SP_TRY(Checkpoint made, sign_checkpoint({number_ + 1, clock_.wall(), std::move(kind), previous_, std::move(segments),
                                           std::move(retired)}, key_));
  SP_CHECK(append_line(made.line));
  segments_ = std::move(all);
  number_ = made.number;
  previous_ = made.hash;
  return made;
}

Result<void> AuditLog::append_line(const std::string& line) {
  int error = write_whole(file_.get(), line + "\n");
  if (error == 0 && options_.sync_checkpoints && ::fdatasync(file_.get()) != 0) error = errno;
  if (error != 0) {
    (void)!::ftruncate(file_.get(), static_cast<off_t>(file_bytes_));
    return fail(Code::audit_unavailable, system_text("write a checkpoint", error));
  }
  file_bytes_ += line.size() + 1;
  if (options_.sync_checkpoints) SP_CHECK(sync_dir(options_.dir));
  return {};
}

std::vector<std::string> AuditLog::old_segments(WallTime now) const {
  std::vector<std::string> names;
  const auto limit = std::chrono::floor<std::chrono::seconds>(now - options_.retention).time_since_epoch().count();
  for (const auto& [name, segment] : segments_) {
    struct stat info{};
    if (!segment.finished || ::stat((options_.dir + "/" + name).c_str(), &info) != 0) continue;
    if (info.st_mtime < limit) names.push_back(name);
  }
  return names;
}

void AuditLog::unlink_all(const std::vector<std::string>& names) {
  for (const std::string& name : names) (void)!::unlink((options_.dir + "/" + name).c_str());
}

}  // namespace sallyport::audit
