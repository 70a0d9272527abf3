// scrypt (RFC 7914, by OpenSSL): a key from a password (S2-12). What is stored beside the wrapped key is one line,
//   $scrypt$ln=17,r=8,p=1$<salt, base64url>
// with N = 2^ln. A line that was stored is not believed: N below 2^17 or above 2^19 (512 MiB), another r or p, a salt
// outside 16..64 bytes or any other spelling is refused, so that who can write it makes a password neither cheaper to
// guess nor the start impossible. Authenticate the line with what the key wraps (additional data). Blocking: about 0.4 s
// and 144 MiB for a moment with ln=17; at start and in the CLI only. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/fault_point.h"
#include "core/random.h"
#include "core/result.h"
#include "crypto/locked_key.h"

namespace sallyport::crypto {

inline constexpr unsigned kScryptLog2NMin = 17;
inline constexpr unsigned kScryptLog2NMax = 19;
inline constexpr std::size_t kScryptPasswordBytesMax = 1024;

#ifdef SALLYPORT_FAULTS
// For the crash test, which dies beside passwords thousands of times: while it lives a fresh password costs 2^10, and a line that
// says so is taken, in this process and those that it forks. Not there in the program that serves (core/fault_point.h).
class CheapScrypt {
 public:
  CheapScrypt() noexcept;
  ~CheapScrypt();
  CheapScrypt(const CheapScrypt&) = delete;
  CheapScrypt& operator=(const CheapScrypt&) = delete;
};
unsigned scrypt_log2_n() noexcept;
#else
constexpr unsigned scrypt_log2_n() noexcept { return kScryptLog2NMin; }
#endif

class ScryptParameters {
 public:
  // A salt of 32 bytes. Code::config where `log2_n` is not 17..19.
  static Result<ScryptParameters> fresh(Random& random, unsigned log2_n = scrypt_log2_n());
  // Code::config for anything that text() does not write.
  static Result<ScryptParameters> parse(std::string_view text);

  [[nodiscard]] std::string text() const;
  [[nodiscard]] unsigned log2_n() const noexcept { return log2_n_; }

  // Code::limit for a password that is empty or over 1024 bytes, or without memory.
  [[nodiscard]] Result<LockedKey> derive(std::string_view password) const;

 private:
  ScryptParameters(unsigned log2_n, std::string salt) noexcept : log2_n_(log2_n), salt_(std::move(salt)) {}
  unsigned log2_n_;
  std::string salt_;
};

// RFC 7914 6 itself, without our bounds: for derive() and the RFC's vectors. False where OpenSSL refuses.
[[nodiscard]] bool scrypt_unbounded(std::string_view password, std::string_view salt, std::uint64_t n, std::uint32_t r,
                                    std::uint32_t p, std::span<std::byte> out);

}  // namespace sallyport::crypto
