// Signatures of bundles as OPA writes them (OPA, Bundles, Signing): .signatures.json holds one JWS whose payload lists each
// file with the digest of it. The key and its algorithm are ours, never the bundle's. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/clock.h"
#include "crypto/jws_key.h"
#include "engines/bundle/files.h"

namespace sallyport::bundle {

inline constexpr std::string_view kSignatures = ".signatures.json";

// `algorithm`: HS256 takes the text as it is (32 bytes at least), RS256 and ES256 a public key in PEM. Code::config.
Result<crypto::JwsKey> read_key(std::string_view algorithm, std::string_view text);
struct Signature {
  std::optional<std::int64_t>
      issued_at;  // claim `iat` (RFC 7519, 4.1.6), in seconds; OPA writes it where its claims file has it
};
// Exactly the files of the bundle are signed, by this key. Code::validation says what is wrong.
Result<Signature> verify(const Files& files, const crypto::JwsKey& key);

// May a bundle signed then come into force? `newest`: the newest that was; nullopt: none gave a time. Whoever serves bundles could
// give out an old one again, whose signature is as good as ever. Code::validation: older, without a time after one with, or
// signed over five minutes from now. One signed when the newest was may: with a clock that is behind at the start, too.
Result<void> check_age(std::optional<std::int64_t> newest, std::optional<std::int64_t> issued_at, WallTime now);
// SHA-256, in hex, as OPA takes it: of data and manifest the digest of the meaning (members sorted), else of the bytes.
Result<std::string> digest_of(std::string_view path, std::string_view bytes);

}  // namespace sallyport::bundle
