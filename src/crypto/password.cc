#include "crypto/password.h"

#include <sodium.h>

#include <cstring>

namespace sallyport::crypto {
namespace {

bool ready() noexcept {
  static const bool initialised = sodium_init() >= 0;
  return initialised;
}

bool is_argon2id(std::string_view hash) noexcept {
  return hash.starts_with("$argon2id$") && hash.size() < crypto_pwhash_STRBYTES;
}

}  // namespace

Result<std::string> hash_password(std::string_view password, PasswordCost cost) {
  if (password.size() > kPasswordBytesMax) return fail(Code::limit, "a password of over 1024 bytes");
  char out[crypto_pwhash_STRBYTES] = {};
  if (!ready() || crypto_pwhash_str_alg(out, password.data(), password.size(), cost.passes, cost.memory_bytes,
                                        crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail(Code::limit, "Argon2id could not get its memory");
  }
  return std::string(out);
}

bool verify_password(std::string_view hash, std::string_view password) {
  if (password.size() > kPasswordBytesMax || !is_argon2id(hash) || !ready()) return false;
  const std::string text(hash);  // libsodium wants a terminated string
  return crypto_pwhash_str_verify(text.c_str(), password.data(), password.size()) == 0;
}

bool needs_rehash(std::string_view hash, PasswordCost cost) {
  if (!is_argon2id(hash) || !ready()) return true;
  const std::string text(hash);
  return crypto_pwhash_str_needs_rehash(text.c_str(), cost.passes, cost.memory_bytes) != 0;
}

std::string_view dummy_password_hash() noexcept {
  return "$argon2id$v=19$m=19456,t=2,p=1$cC5Su7CRay97SEDh9XNGOQ$MndoXt"
         "NEDzI2jJrbhzhIh8Akxdw60Rn8MjW5zZxELs8";
}

}  // namespace sallyport::crypto
