// The sealed envelope of the key exchange (S2-9): a client seals a secret to the gateway's public RSA key, so that it stays
// closed through proxies that end TLS and through logs. The format is JWE's compact one (RFC 7516 7.1), which WebCrypto
// and JOSE libraries write, of one kind only:
//   base64url(header) . base64url(wrapped key) . base64url(nonce, 12) . base64url(ciphertext) . base64url(tag, 16)
//   header       {"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"<RsaKey::key_id>","sub":"<subject>"}
//   wrapped key  a fresh key of 32 bytes under RSA-OAEP with SHA-256 and MGF1-SHA-256, no label (RFC 7518 4.3)
//   ciphertext   AES-256-GCM; the additional data are the header's base64url characters (RFC 7516 5.1, 14)
// The header is exactly these bytes: members in this order, no white space. A receiver parses no header; it makes the one
// that it wants and compares, so that no sender chooses an algorithm (RFC 8725 3.1), a key or a subject. `sub` (RFC 7519
// 5.3) says what the content is for ("vault:github-token"): moved to another place, an envelope does not open. The same
// envelope opens again for the same subject; who must not take it twice remembers it. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "core/secret.h"
#include "crypto/rsa_key.h"

namespace sallyport::crypto {

inline constexpr std::size_t kEnvelopePlainBytesMax = 64U << 10;
inline constexpr std::size_t kEnvelopeBytesMax = 96U << 10;
inline constexpr std::size_t kEnvelopeSubjectBytesMax = 256;

// `subject`: 1..256 printable ASCII characters but " and \, else Code::config; Code::limit over 64 KiB of `plain`.
[[nodiscard]] Result<std::string> seal_envelope(const RsaKey& key, std::string_view subject, std::string_view plain,
                                                Random& random);

// The content where `envelope` was sealed to this key for this subject and is unchanged; Code::limit over 96 KiB; else
// Code::crypto, always with the same words. `random` makes the key that stands for one that does not unwrap, so that time
// does not tell which step failed (RFC 7516 11.5).
[[nodiscard]] Result<Secret> open_envelope(const RsaKey& key, std::string_view subject, std::string_view envelope,
                                           Random& random);

// Whose key an envelope was sealed to, not yet believed: to choose among keys while one is replaced. Nothing where it has
// another header.
[[nodiscard]] std::optional<std::string> envelope_key_id(std::string_view envelope);

}  // namespace sallyport::crypto
