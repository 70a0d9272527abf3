#include "config/own_url.h"

namespace sallyport::config {

std::string own_url(const Settings& settings, std::uint16_t port) {
  const std::string& host = settings.listen.address;
  const bool v6 = host.find(':') != std::string::npos;
  return (settings.tls.enabled ? "https://" : "http://") + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace sallyport::config
