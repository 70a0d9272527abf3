// What an operator may say about TLS to an upstream (S2-26). Pure but for reading the files that it names; any thread.
#pragma once

#include "core/result.h"
#include "model/server.h"

namespace sallyport::control {

// Certificates are readable, pins well formed, the key a reference. Whether key and certificate fit is seen when the server is
// probed: only then is the key read. Code::validation.
Result<void> check_upstream_tls(const ServerRecord& server);

}  // namespace sallyport::control
