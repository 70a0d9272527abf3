// What a call leaves with its caller (docs/policy.md, Labels): set before the tool server is touched, and known to every
// worker by then. A request that is decided later, anywhere, is decided by them; one that was decided before had its
// arguments before the tool had answered. Answers to questions in the middle of a call come later: still_allowed.
// Internal to the pipeline.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "request/pipeline/flow.h"
#include "request/pipeline/worker.h"

namespace sallyport {

// Those of the tool and of the name that it was called by, or of the server whose resource or prompt is read; but for those
// that the caller carries already, not near their end, on every worker.
std::vector<std::string> labels_due(const Flow& flow, const Worker& worker);
// Errors: storage, limit; flow.say tells. The record says which these were.
Task<Result<void>> leave_labels(Flow& flow, const Fleet& fleet, std::vector<std::string> labels);

// Where the caller carries other labels by now than the call was judged by, it is judged again. To be asked on `there`, which
// runs the call. The call came by MCP.
std::function<bool()> still_allowed(const Flow& flow, Worker& there);

}  // namespace sallyport
