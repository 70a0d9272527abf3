// Binding sockets with errors that say what to do. Internal to the listener. The descriptors belong to the caller.
#pragma once

#include <string>

#include "core/result.h"

namespace sallyport {

struct ListenerSettings;

Result<int> bind_tcp(const ListenerSettings& settings);

// Mode 0600; takes over a file that no server answers on any more.
Result<int> bind_local(const std::string& path);

}  // namespace sallyport
