// What may stand in the evidence (rulings C11, C12): values under a secret name become a keyed digest, long strings are cut.
// Names match whatever their case and format: apiKey, API-KEY, x_api_key, "pass\u0077ord". Linear in the input, any bytes.
// Immutable after it was made: any thread may call it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/secret.h"

namespace sallyport::audit {

struct RedactLimits {
  std::size_t string_bytes_max = 256;     // longer strings are cut, their digest follows
  std::size_t output_bytes_max = 16384;   // a longer result becomes {"_cut":"<bytes>","_digest":"..."}
  std::size_t depth_max = 64;             // deeper values become a digest
};

// True for names that stand for a secret: password, token, authorization, cookie, api key, private key, credential, ...
[[nodiscard]] bool is_secret_name(std::string_view decoded_name);

// True for what has the form of a credential that we gave out, whatever name it goes under: an API key, a refresh token, a JWT.
[[nodiscard]] bool is_credential(std::string_view value) noexcept;

class Redactor {
 public:
  // `key`: 32 bytes from the KeyStore. Digests of equal secrets are equal within one installation, and useless outside it.
  explicit Redactor(Secret key, RedactLimits limits = {}) : key_(std::move(key)), limits_(limits) {}

  // Of JSON that passed the strict reader. What is no JSON comes out as {"_unreadable":...}. Never CR or LF.
  [[nodiscard]] std::string json(std::string_view minified) const;
  // The same with limits for a record in full (obligation log_full): strings to 16 KiB, 60 KiB in all; what is more is as
  // json() has it.
  [[nodiscard]] std::string whole(std::string_view minified) const;
  // Nothing but what is secret replaced, whatever the length: for a question that is to be asked again.
  [[nodiscard]] std::string secrets(std::string_view minified) const;
  // Of a query string without its "?".
  [[nodiscard]] std::string query(std::string_view query) const;
  // Of a path: who writes a credential into one by mistake does not leave it in the evidence.
  [[nodiscard]] std::string path(std::string_view path) const;
  // Keyed digests, hex: 16 characters for what replaces a value, 64 for arguments_digest, result_digest and sessions.
  [[nodiscard]] std::string short_digest(std::string_view bytes) const;
  [[nodiscard]] std::string digest(std::string_view bytes) const;

 private:
  [[nodiscard]] std::string within(const RedactLimits& limits, std::string_view minified) const;

  Secret key_;
  RedactLimits limits_;
};

}  // namespace sallyport::audit
