#include "crypto/api_key.h"

#include <string>
#include <utility>

#include "core/encoding.h"
#include "crypto/hash.h"
#include "crypto/known_secrets.h"

namespace sallyport::crypto {
namespace {

constexpr std::size_t kBodyBytes = 43;
constexpr std::size_t kChecksumBytes = 6;

constexpr bool is_letter_or_digit(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
constexpr bool is_base64url(char c) noexcept { return is_letter_or_digit(c) || c == '-' || c == '_'; }

// The first 36 bits of SHA-256 over prefix and body. No secret goes in: a scanner can compute it.
std::string checksum(std::string_view prefix_and_body) {
  const Digest digest = sha256(prefix_and_body);
  return base64url_encode(std::span(digest).first(5)).substr(0, kChecksumBytes);
}

// `key`: prefix and body, its memory reserved.
NewApiKey finished(const HashKeys& keys, std::string key) {
  key += checksum(key);
  NewApiKey made{key.substr(kApiKeyPrefix.size(), kApiKeyIdBytes), keys.hash(key), Secret(key)};
  wipe(key);
  return made;
}

}  // namespace

NewApiKey make_api_key(const HashKeys& keys, Random& random) {
  std::string key;
  do {  // again where the id starts with '-' or '_': a command would read it as an option
    wipe(key);
    std::string body = random_id(random, 32);
    key.reserve(kApiKeyBytes);
    key.append(kApiKeyPrefix).append(body);
    wipe(body);
  } while (!is_letter_or_digit(key[kApiKeyPrefix.size()]));
  return finished(keys, std::move(key));
}

NewApiKey renew_api_key(const HashKeys& keys, Random& random, std::string_view id) {
  std::string fresh = random_id(random, 24);  // 32 characters
  std::string key;
  key.reserve(kApiKeyBytes);
  key.append(kApiKeyPrefix).append(id).append(std::string_view(fresh).substr(0, kBodyBytes - kApiKeyIdBytes));
  wipe(fresh);
  return finished(keys, std::move(key));
}

std::optional<std::string_view> api_key_id(std::string_view key) noexcept {
  if (key.size() != kApiKeyBytes || !key.starts_with(kApiKeyPrefix)) return std::nullopt;
  for (const char c : key.substr(kApiKeyPrefix.size())) {
    if (!is_base64url(c)) return std::nullopt;
  }
  // C8: for ever, whatever is stored, with a right checksum or without.
  if (key.starts_with(kPublishedApiKey)) return std::nullopt;
  const std::string_view given = key.substr(kApiKeyPrefix.size() + kBodyBytes);
  const std::string right = checksum(key.substr(0, kApiKeyPrefix.size() + kBodyBytes));
  if (!equal_constant_time(as_bytes(given), as_bytes(right))) return std::nullopt;
  return key.substr(kApiKeyPrefix.size(), kApiKeyIdBytes);
}

}  // namespace sallyport::crypto
