// Inside cli only: HTTP requests of the commands, one at a time, each on an io_context of its own.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "cli/hooks.h"
#include "core/result.h"

namespace sallyport::cli {

// Over <home>/admin.sock. Error upstream_unavailable: nobody listens there, and nothing was sent. Any other: the gateway may
// have done it; upstream_timeout where it gave no answer, or none whole.
Result<ApiAnswer> request_over_socket(const std::string& home, std::string_view method, std::string_view path,
                                      std::string_view body);

// GET of an absolute URL; loopback and private addresses allowed. `ca_file`: PEM; empty: the system's authorities.
Result<ApiAnswer> get_url(const std::string& url, std::chrono::milliseconds timeout, const std::string& ca_file = {});

}  // namespace sallyport::cli
