// What a password must be, how long it lives and which earlier ones it may not be. Two profiles, chosen by the setting
// passwords.profile: `guide` keeps S2-35, S2-36 and S2-37; `nist` keeps NIST SP 800-63B-4, 3.1.1.2, which forbids rules of
// composition and expiry (ruling C21). Pure functions, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/principal.h"

namespace sallyport::control {

enum class PasswordProfile : std::uint8_t { guide, nist };

// Passwords that may not come again: the one in use and this many before it (S2-37: the last 5).
inline constexpr std::size_t kEarlierPasswords = 4;

struct PasswordOwner {
  std::string_view name;
  std::string_view email;
  bool second_factor = false;  // one that is in force: `nist` asks for 8 characters instead of 15
};

// Why `password` may not be used, as a sentence for its owner; nothing where it may. Both: at most 1024 bytes, no control
// characters, no published default, not made of common words and of what the owner is called.
// guide: 12 characters, upper and lower case, a digit and a symbol (S2-35). nist: 15 characters, 8 with a second factor.
[[nodiscard]] std::optional<std::string> password_problem(PasswordProfile profile, std::string_view password,
                                                          const PasswordOwner& owner);

// guide: 90 days after it was set (S2-36). nist: never.
[[nodiscard]] bool password_expired(PasswordProfile profile, WallTime set_at, WallTime now) noexcept;

// guide: the last 5 may not come again (S2-37). nist: only the one in use is refused.
[[nodiscard]] bool remembers_passwords(PasswordProfile profile) noexcept;

// Puts a new hash in place and the one before it on the history, whatever the profile, so that the profile may be changed.
void put_password(UserRecord& user, std::string hash, WallTime now);

}  // namespace sallyport::control
