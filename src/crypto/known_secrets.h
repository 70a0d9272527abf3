// Secrets that everybody knows: published defaults, placeholders, the credentials of the guides (ruling C8). They are
// refused wherever a secret is taken in, for ever. Pure functions, any thread.
#pragma once

#include <string_view>

namespace sallyport::crypto {

// The API key printed in a public guide (S1-7).
inline constexpr std::string_view kPublishedApiKey = "mcp_-tn1XqqtdGub5NAzzn_qSoLrvJv9gmMwB0y-kfLDsak";

// True for a published default or placeholder, whatever its case and punctuation ("Change-Me", "your_secret_key_here").
[[nodiscard]] bool is_known_secret(std::string_view secret);

// True where the bytes cannot have come from a random source: few distinct ones, or a short unit repeated.
[[nodiscard]] bool is_low_variety(std::string_view secret) noexcept;

}  // namespace sallyport::crypto
