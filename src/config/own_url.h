// Where people and probes reach this gateway by its own settings.
#pragma once

#include <string>

#include "config/settings.h"

namespace sallyport::config {

// "https://127.0.0.1:8443", without a slash at its end.
std::string own_url(const Settings& settings, std::uint16_t port);
inline std::string own_url(const Settings& settings) { return own_url(settings, settings.listen.port); }

}  // namespace sallyport::config
