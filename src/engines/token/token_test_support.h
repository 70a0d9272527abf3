// What the tests, the fuzz target and the bench of this module share. Tests only.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "core/encoding.h"
#include "crypto/jws.h"
#include "engines/token/token.h"

namespace sallyport::token::testing {

inline constexpr std::string_view kKeyText = "0123-test-key-of-exactly-32-byte";
inline constexpr WallTime kNow{std::chrono::seconds{1'790'000'000}};

// The operator's own secret, without a key id.
inline const std::shared_ptr<const crypto::JwsKey>& shared_key() {
  static const auto key =
      std::make_shared<const crypto::JwsKey>(crypto::JwsKey::from_secret(as_bytes(kKeyText)).value());
  return key;
}
inline const crypto::JwsKey& key() { return *shared_key(); }

inline const KeyRing* ring() {
  static const KeyRing ring({{.id = "", .key = shared_key()}});
  return &ring;
}

// A key of our own making, one a process for each algorithm, as the control plane would file it.
inline const RingKey& made_key(crypto::JwsAlgorithm algorithm) {
  static const std::array<RingKey, 4> keys = [] {
    std::array<RingKey, 4> made;
    SystemRandom random;
    for (std::size_t i = 0; i < made.size(); ++i) {
      auto key = crypto::JwsKey::generate(static_cast<crypto::JwsAlgorithm>(i), random).value();
      made[i].id = key.thumbprint().empty() ? "random-id-of-a-secret" : key.thumbprint();
      made[i].key = std::make_shared<const crypto::JwsKey>(std::move(key));
    }
    return made;
  }();
  return keys[static_cast<std::size_t>(algorithm)];
}

inline std::string signed_text(const crypto::JwsKey& key, std::string_view header, std::string_view payload) {
  return crypto::jws_sign(key, header, payload).value();
}

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
