// Argon2id (RFC 9106) in PHC string format, by libsodium, with parameters no weaker than OWASP's m=19 MiB t=2 p=1.
// Blocking: tens of milliseconds and 19 MiB a call, so only the password pool (control/passwords.h) and the CLI call
// it. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sallyport::crypto {

inline constexpr std::size_t kPasswordBytesMax = 1024;

struct PasswordCost {
  unsigned long long passes = 2;
  std::size_t memory_bytes = 19U << 20;
};

// "$argon2id$v=19$m=19456,t=2,p=1$salt$hash". Code::limit over 1024 bytes or without memory.
[[nodiscard]] Result<std::string> hash_password(std::string_view password, PasswordCost cost = {});

// False for a wrong password and for anything that is no Argon2id hash.
[[nodiscard]] bool verify_password(std::string_view hash, std::string_view password);

// True where the hash was made with other parameters than `cost`: hash anew at the next successful login.
[[nodiscard]] bool needs_rehash(std::string_view hash, PasswordCost cost = {});

// A hash of a password that nobody knows, with the default cost: an unknown user is verified against it, so that time
// tells nothing.
[[nodiscard]] std::string_view dummy_password_hash() noexcept;

}  // namespace sallyport::crypto
