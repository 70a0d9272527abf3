// What never became a request: a handshake that failed, a PROXY header that is none, a Host that the plain port does not
// know. Counted, and audited and logged within the bounds of a flood (ten records a second and worker, then a count).
#pragma once

#include "net/arrival.h"
#include "request/listener/edge.h"
#include "request/pipeline/worker.h"

namespace sallyport {

// On the worker's thread. A connection that was closed before it said anything leaves no trace.
void record_refused_arrival(Worker& worker, const net::Peer& peer, const net::ArrivalFailure& failed);
void record_refused_edge(Worker& worker, const net::Peer& peer, const EdgeVerdict& verdict);

}  // namespace sallyport
