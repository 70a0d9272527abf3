// What the tests, the fuzz target and the bench of this module share. Tests only.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "engines/token/token.h"

namespace sallyport::token::testing {

inline constexpr std::string_view kKeyText = "0123-test-key-of-exactly-32-byte";
inline constexpr WallTime kNow{std::chrono::seconds{1'790'000'000}};

inline std::span<const std::byte> key() { return std::as_bytes(std::span(kKeyText)); }

inline TokenClaims claims() {
  return {.user_id = "00112233aabbccdd",
          .session_id = "sid-1",
          .roles = {"admin", "user"},
          .id = "jti-1",
          .issued_at = kNow + std::chrono::microseconds(123'456),
          .not_before = kNow,
          .expires_at = kNow + std::chrono::minutes(30)};
}

inline TokenRules rules() { return {.issuer = "sallyport", .audience = "https://gw.example"}; }

// The payload that issue() writes for claims(), so that a test can change one thing in it.
inline constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"at+jwt"})";
inline constexpr std::string_view kPayload =
    R"({"sub":"user:00112233aabbccdd","user_id":"00112233aabbccdd","roles":["admin","user"],"jti":"jti-1","sid":"sid-1",)"
    R"("iat":1790000000,"iat_us":123456,"nbf":1790000000,"exp":1790001800,"iss":"sallyport",)"
    R"("aud":"https://gw.example","typ":"access","token_type":"access"})";

// `text` with `from` (which must stand in it once) made `to`.
inline std::string changed(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const std::size_t at = out.find(from);
  if (at == std::string::npos) return "the test changed nothing";
  return out.replace(at, from.size(), to);
}

}  // namespace sallyport::token::testing
