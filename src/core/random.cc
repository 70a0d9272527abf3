#include "core/random.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "core/encoding.h"

namespace sallyport {

void SystemRandom::fill(std::span<std::byte> out) noexcept {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) std::abort();  // no kernel randomness: nothing that follows could be safe
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

std::string random_id(Random& random, std::size_t bytes) {
  std::array<std::byte, 64> buffer{};
  const auto part = std::span(buffer).first(std::min(bytes, buffer.size()));
  random.fill(part);
  return base64url_encode(part);
}

}  // namespace sallyport
