// Randomness is passed in. The only production source is the kernel's (getrandom); it never fails or repeats, or the
// process ends (no fallback). Any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace sallyport {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) noexcept = 0;
};

class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) noexcept override;
};

// `bytes` (1..64) of randomness as unpadded base64url: session ids (16), request ids (12), secrets (32).
std::string random_id(Random& random, std::size_t bytes);

}  // namespace sallyport
