// API keys (S1-14): "mcp_" + base64url(32 random bytes) (43 characters) + 6 characters of checksum, by which a secret
// scanner knows a leaked one without asking us. The id is the 12 characters after "mcp_" (public, looked up in O(1));
// what is stored is HMAC-SHA-256 of the whole key under the newest hash key (crypto/hash_keys.h; C9). Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/secret.h"
#include "crypto/hash_keys.h"

namespace sallyport::crypto {

inline constexpr std::string_view kApiKeyPrefix = "mcp_";
inline constexpr std::size_t kApiKeyBytes = 4 + 43 + 6;
inline constexpr std::size_t kApiKeyIdBytes = 12;

struct NewApiKey {
  std::string id;    // KeyRecord::id
  std::string hash;  // KeyRecord::hash
  Secret key;        // shown once
};

[[nodiscard]] NewApiKey make_api_key(const HashKeys& keys, Random& random);
// Another secret for the key of that id (kApiKeyIdBytes): 186 random bits behind the same id.
[[nodiscard]] NewApiKey renew_api_key(const HashKeys& keys, Random& random, std::string_view id);

// The id of a well-formed key (prefix, length, alphabet, checksum), a view into it; nothing else is ever looked up. The
// key that a public guide printed is refused for ever (C8).
[[nodiscard]] std::optional<std::string_view> api_key_id(std::string_view key) noexcept;

}  // namespace sallyport::crypto
