// Files of the listener's TLS, read with the care each needs. Errors: config, naming the setting, the file and the fix.
#pragma once

#include <string>

#include "core/result.h"
#include "core/secret.h"

namespace sallyport::app {

// A certificate, a list: 1 MiB at most. Links are followed (certbot makes them).
Result<std::string> read_tls_file(std::string_view setting, const std::string& path);
// A private key: ours and readable by nobody else, or root's and readable by our group at most.
Result<Secret> read_tls_key(std::string_view setting, const std::string& path);

}  // namespace sallyport::app
