#include "crypto/one_time_code.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "core/encoding.h"
#include "core/secret.h"

namespace sallyport::crypto {
namespace {

using Sha1Mac = std::array<unsigned char, 20>;

Sha1Mac hmac_sha1(std::string_view key, std::span<const unsigned char> data) noexcept {
  Sha1Mac mac{};
  unsigned int size = 0;
  if (HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), mac.data(), &size) ==
      nullptr) {
    std::fputs("sallyport: OpenSSL cannot provide HMAC-SHA-1 (out of memory, or a broken installation)\n", stderr);
    std::abort();
  }
  return mac;
}

}  // namespace

std::uint64_t one_time_step(WallTime now) noexcept {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  return seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds / kOneTimeStep.count());
}

std::string one_time_code(std::string_view secret, std::uint64_t step, std::size_t digits) {
  std::array<unsigned char, 8> counter{};
  for (std::size_t i = 0; i < counter.size(); ++i) counter[i] = static_cast<unsigned char>(step >> (8 * (7 - i)));
  const Sha1Mac mac = hmac_sha1(secret, counter);
  // RFC 4226, 5.3: the low four bits of the last byte say where 31 bits are taken from.
  const std::size_t at = mac.back() & 0x0FU;
  std::uint32_t value = (mac[at] & 0x7FU) << 24U | mac[at + 1] << 16U | mac[at + 2] << 8U | mac[at + 3];
  std::string code(std::clamp<std::size_t>(digits, 6, 8), '0');
  for (auto digit = code.rbegin(); digit != code.rend(); ++digit, value /= 10)
    *digit = static_cast<char>('0' + value % 10);
  return code;
}

std::optional<std::uint64_t> matching_step(std::string_view secret, std::string_view code, WallTime now,
                                           std::uint64_t used) {
  const bool digits = std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
  if (code.size() != kOneTimeDigits || !digits) return std::nullopt;
  const std::uint64_t present = one_time_step(now);
  std::optional<std::uint64_t> found;
  for (const std::uint64_t step : {present == 0 ? 0 : present - 1, present, present + 1}) {
    const bool same = equal_constant_time(as_bytes(one_time_code(secret, step)), as_bytes(code));
    if (same && step > used && !found) found = step;
  }
  return found;
}

std::string base32_encode(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out;
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  for (const char c : bytes) {
    buffer = buffer << 8U | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 5; bits -= 5) out += kAlphabet[(buffer >> (bits - 5)) & 31U];
  }
  if (bits > 0) out += kAlphabet[(buffer << (5 - bits)) & 31U];
  return out;
}

}  // namespace sallyport::crypto
