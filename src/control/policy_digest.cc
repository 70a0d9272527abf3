#include "control/policy_digest.h"

#include <algorithm>

#include "core/encoding.h"
#include "crypto/hash.h"

namespace sallyport::control {

std::string digest_of_policies(PolicyModules modules) {
  std::ranges::sort(modules);
  std::string text;
  for (const auto& [name, source] : modules) {
    text += std::to_string(name.size()) + ":" + name + std::to_string(source.size()) + ":" + source;
  }
  return hex_encode(crypto::sha256(text));
}

}  // namespace sallyport::control
