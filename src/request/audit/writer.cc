#include "request/audit/writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "request/audit/line.h"

namespace sallyport::audit {
namespace {

// seg-003-20261120T114644.123456Z.jsonl
std::string segment_name(unsigned worker, WallTime start) {
  std::string number = std::to_string(worker);
  std::string stamp;
  append_iso(stamp, start);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  return "seg-" + std::string(number.size() < 3 ? 3 - number.size() : 0, '0') + number + "-" + stamp + ".jsonl";
}

}  // namespace

Result<std::unique_ptr<AuditWriter>> AuditWriter::open(WriterOptions options, const Clock& clock) {
  std::unique_ptr<AuditWriter> writer(new AuditWriter(std::move(options), clock));
  SP_CHECK(writer->open_segment());
  return writer;
}

AuditWriter::~AuditWriter() = default;

Result<void> AuditWriter::open_segment() {
  WallTime start = clock_.wall();
  std::string name;
  Result<Descriptor> file = fail(Code::io);
  for (int attempt = 0; attempt < 100 && !file; ++attempt, start += std::chrono::microseconds(1)) {
    name = segment_name(options_.worker, start);
    file = open_file(options_.dir + "/" + name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
  }
  if (!file) return fail(Code::audit_unavailable, file.error().detail);
  {
    const std::lock_guard guard(lock_);
    fd_ = std::move(*file);
    name_ = name;
    tree_ = {};
    reported_ = 0;
  }
  bytes_ = 0;
  dirty_ = false;
  lost_ = false;
  SP_CHECK(seal_segment(name));
  AuditRecord record;
  record.time = clock_.wall();
  record.event_type = kSystem;
  record.action = "segment_start";
  record.evidence = name;  // a segment that was renamed contradicts itself
  if (seal_) record.data_key = seal_->data_key();
  buffer_.assign(1, '\0');
  leaves_.clear();
  SP_CHECK(add(record));
  return put_buffer();
}

Result<void> AuditWriter::seal_segment(const std::string& name) {
  seal_.reset();
  if (options_.sealing.key.empty()) return {};
  auto seal = SegmentSeal::fresh(options_.sealing, name);
  if (!seal) return fail(Code::audit_unavailable, seal.error().detail);
  seal_.emplace(std::move(*seal));
  return {};
}

// The old segment ends as it is; its state waits for the next checkpoint, its descriptor for the next sync.
Result<void> AuditWriter::rotate() {
  {
    const std::lock_guard guard(lock_);
    finished_.push_back({name_, tree_.size(), tree_.head(), true});
    old_.push_back(std::move(fd_));
    fd_ = {};
    name_.clear();
  }
  return open_segment();
}

Result<void> AuditWriter::recover_file() {
  if (lost_.exchange(false)) {
    failure_ = "the segment " + name_ + " was removed while it was written";
    return rotate();
  }
  if (name_.empty()) return open_segment();
  if (dirty_ && ::ftruncate(fd_.get(), static_cast<off_t>(bytes_)) != 0) {
    return fail(Code::audit_unavailable, system_text("cut a half written record", errno));
  }
  dirty_ = false;
  return {};
}

Result<void> AuditWriter::add(const AuditRecord& record) {
  const std::uint64_t seq = tree_.size() + leaves_.size();
  if (!seal_ || seq == 0) {  // the first says under which key the others stand
    leaves_.push_back(append_line(buffer_, record, seq));
    return {};
  }
  auto leaf = append_sealed_line(buffer_, record, seq, *seal_);
  if (!leaf) return fail(Code::audit_unavailable, leaf.error().detail);
  leaves_.push_back(*leaf);
  return {};
}

AuditRecord AuditWriter::resumed_event() const {
  AuditRecord record;
  record.time = clock_.wall();
  record.event_type = kSecurity;
  record.action = "audit_resumed";
  record.reason = failure_;
  record.evidence = std::to_string(refused_) + " records were refused";
  return record;
}

Result<void> AuditWriter::write_all(std::span<const AuditRecord* const> records) {
  if (closed_) return fail(Code::audit_unavailable, "the audit is closed");
  const bool resuming = !healthy() || lost_.load(std::memory_order_relaxed);
  if (resuming) {
    if (auto ready = recover_file(); !ready) return failed(std::move(ready).error().detail, records.size());
  } else if (bytes_ >= options_.segment_bytes_max) {
    if (auto ready = rotate(); !ready) return failed(std::move(ready).error().detail, records.size());
  }
  buffer_.assign(1, '\0');  // append_line borrows the byte before a line
  leaves_.clear();
  if (auto put = put_records(records, resuming); !put) return failed(std::move(put).error().detail, records.size());
  if (resuming) {
    refused_ = 0;
    healthy_.store(true, std::memory_order_relaxed);
  }
  return {};
}

Result<void> AuditWriter::put_records(std::span<const AuditRecord* const> records, bool resuming) {
  if (resuming) SP_CHECK(add(resumed_event()));
  for (const AuditRecord* record : records) SP_CHECK(add(*record));
  return put_buffer();
}

Result<void> AuditWriter::put_buffer() {
  const std::string_view lines = std::string_view(buffer_).substr(1);
  int error = write_whole(fd_.get(), lines);
  if (error == 0 && options_.level == Level::disk && ::fdatasync(fd_.get()) != 0) error = errno;
  if (error != 0) {
    // Readers must not meet half a line; where even this fails, the next call tries again first.
    dirty_ = ::ftruncate(fd_.get(), static_cast<off_t>(bytes_)) != 0;
    return fail(Code::audit_unavailable, system_text("write the audit", error));
  }
  bytes_ += lines.size();
  const std::lock_guard guard(lock_);
  for (const merkle::Hash& leaf : leaves_) tree_.append(leaf);
  return {};
}

Result<void> AuditWriter::failed(std::string why, std::size_t records) {
  refused_ += records;
  failure_ = why;
  healthy_.store(false, std::memory_order_relaxed);
  return fail(Code::audit_unavailable, std::move(why));
}

std::vector<SegmentState> AuditWriter::take_changed() {
  const std::lock_guard guard(lock_);
  std::vector<SegmentState> states = std::exchange(finished_, {});
  if (!name_.empty() && (tree_.size() != reported_ || closed_)) {
    states.push_back({name_, tree_.size(), tree_.head(), closed_});
    reported_ = tree_.size();
  }
  if (closed_) name_.clear();
  return states;
}

Result<void> AuditWriter::sync() {
  std::vector<Descriptor> files;
  {
    const std::lock_guard guard(lock_);
    files = std::exchange(old_, {});
    if (fd_.get() >= 0) files.emplace_back(::dup(fd_.get()));
  }
  Result<void> result;
  for (const Descriptor& file : files) {
    if (::fdatasync(file.get()) != 0) result = fail(Code::audit_unavailable, system_text("sync the audit", errno));
  }
  struct stat info{};
  if (!files.empty() && ::fstat(files.back().get(), &info) == 0 && info.st_nlink == 0) {
    lost_ = true;
    return fail(Code::audit_unavailable, "a segment of the audit was removed while it was written");
  }
  return result;
}

void AuditWriter::finish() {
  const std::lock_guard guard(lock_);
  closed_ = true;
}

}  // namespace sallyport::audit
