// Which tools a list offers to its caller: decided one by one, in slices, or known from the last caller with the same rights.
// Internal to the pipeline.
#pragma once

#include <functional>

#include "request/pipeline/worker.h"

namespace sallyport {

// The tools of the servers in scope and the registered ones, as far as the caller may use them. A registered one that is bound
// to an upstream's stands with that one's server: it is shown while that one is listed.
// `begins(server)` is called for each server that the result will have, once, as soon as it is known: it may be asked meanwhile.
Task<OfferedPtr> offers_to(Worker& worker, const Asker& asker, const std::function<void(const ServerPtr&)>& begins);

// The tool that is called where `tool` is: the one that it is bound to, or itself.
const ToolRecord& called_by(const Catalogue& catalogue, const ToolRecord& tool);

}  // namespace sallyport
