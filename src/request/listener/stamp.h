// Puts on an exchange what every answer of it carries: security headers, CORS, X-Request-Id. Called once, before
// anything can be answered, on the worker's thread; costs one append an answer and no allocation for the fixed block.
#pragma once

#include <string>
#include <string_view>

#include "net/server_connection.h"
#include "request/listener/edge.h"

namespace sallyport {

void stamp(net::ServerExchange& exchange, const EdgeVerdict& verdict, std::string request_id);

// For a request that never got a verdict: refused by the HTTP reader, or too slow.
void stamp(net::ServerExchange& exchange, const Edge& edge, std::string request_id);

}  // namespace sallyport
