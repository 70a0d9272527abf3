#include "request/pipeline/evidence_batch.h"

namespace sallyport {

Task<Result<void>> EvidenceBatch::write(const audit::AuditRecord& record) {
  if (!gathering_) gathering_ = std::make_shared<Round>();
  const auto round = gathering_;
  round->records.push_back(&record);
  co_await after_this_turn(executor_);
  if (!round->written) {  // the first to come back writes for all who gathered
    round->written = true;
    gathering_.reset();
    round->result = writer_.write_all(round->records);
  }
  co_return round->result;
}

}  // namespace sallyport
