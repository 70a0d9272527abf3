// Group commit: the records of one turn of a worker's event loop go to its segment in one write(2) (at level `disk`, under
// one fdatasync). Nobody goes on before the record stands: evidence before effect (design, principle 7). One a worker,
// its thread only; the AuditWriter outlives it.
#pragma once

#include <memory>
#include <vector>

#include "core/task.h"
#include "request/audit/audit.h"

namespace sallyport {

class EvidenceBatch {
 public:
  EvidenceBatch(Executor executor, audit::AuditWriter& writer) : executor_(executor), writer_(writer) {}

  // Returns when `record`, which must live until then, is written; audit_unavailable for all that shared the write.
  // The caller's coroutine must not throw on cancellation while it waits (this_coro::throw_if_cancelled(false)).
  Task<Result<void>> write(const audit::AuditRecord& record);

 private:
  struct Round {
    std::vector<const audit::AuditRecord*> records;
    bool written = false;
    Result<void> result;
  };
  Executor executor_;
  audit::AuditWriter& writer_;
  std::shared_ptr<Round> gathering_;
};

}  // namespace sallyport
