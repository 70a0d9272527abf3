// One-time codes by time: HOTP (RFC 4226) over the time step of TOTP (RFC 6238), in the parameters that every authenticator
// app knows: SHA-1, 30 seconds, 6 digits. SHA-1 stands here as a MAC's hash, where its collisions do not matter
// (RFC 6238, 1.2); nowhere else. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace sallyport::crypto {

inline constexpr std::size_t kOneTimeSecretBytes = 20;  // RFC 4226, 4 R6: 160 bits
inline constexpr std::size_t kOneTimeDigits = 6;
inline constexpr std::chrono::seconds kOneTimeStep{30};

// The number of the time step (RFC 6238, 4.2: T0 = 0). Times before 1970 are step 0.
[[nodiscard]] std::uint64_t one_time_step(WallTime now) noexcept;

// RFC 4226, 5.3. `digits` 6..8 (8 for the RFC's own vectors).
[[nodiscard]] std::string one_time_code(std::string_view secret, std::uint64_t step,
                                        std::size_t digits = kOneTimeDigits);

// The step that `code` is good for: the present one, the one before or the one after (RFC 6238, 5.2), and none up to
// `used`, so that each code is good once. Nothing: wrong, used, or no six digits. In constant time for six digits.
[[nodiscard]] std::optional<std::uint64_t> matching_step(std::string_view secret, std::string_view code, WallTime now,
                                                         std::uint64_t used);

// RFC 4648, 6, without padding: how a secret is typed into an app.
[[nodiscard]] std::string base32_encode(std::string_view bytes);

}  // namespace sallyport::crypto
