// Files of the listener's TLS, read with the care each needs. Errors: config, naming the setting, the file and the fix.
#pragma once

#include <cstddef>
#include <string>

#include "core/result.h"
#include "core/secret.h"

namespace sallyport::app {

inline constexpr std::size_t kTlsFileMax = 1U << 20, kTlsListMax = 32U << 20;  // lists grow with what they revoke

// A certificate, a list: `most` bytes, in whole MiB. Links are followed (certbot makes them).
Result<std::string> read_tls_file(std::string_view setting, const std::string& path, std::size_t most = kTlsFileMax);
// A private key: ours and readable by nobody else, or root's and readable by our group at most.
Result<Secret> read_tls_key(std::string_view setting, const std::string& path);

}  // namespace sallyport::app
