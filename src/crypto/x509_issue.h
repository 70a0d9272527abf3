// Issuing certificates and revocation lists (RFC 5280) as a small private authority does: a self-signed root without
// intermediates, leaves for servers and clients, SHA-256 under P-256 or RSA. Serials are 128 random bits. Who may have what
// is the caller's business. Plain functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "crypto/alt_name.h"
#include "crypto/x509.h"
#include "crypto/x509_key.h"

namespace sallyport::crypto {

struct Validity {
  WallTime not_before{}, not_after{};  // whole seconds are written
};

// basicConstraints CA with path length 0 and keyUsage keyCertSign, cRLSign, both critical; subjectKeyIdentifier.
// Code::validation: the name; not_after before not_before.
Result<Certificate> make_authority(const CertificateKey& key, std::string_view common_name, const Validity& validity,
                                   Random& random);

enum class LeafKind : std::uint8_t { server, client };

struct Leaf {
  LeafKind kind = LeafKind::server;
  std::string common_name;
  std::vector<AltName> alt_names;  // 1 to 100, as alt_name() gives them; a server has dns and ip alone
  Validity validity;
};

// For `key`, signed by `authority_key`. Ends no later than the authority does. Extended key usage serverAuth or clientAuth
// alone; no CA. Code::validation: names or times; Code::crypto: authority and key do not belong together.
Result<Certificate> issue(const Certificate& authority, const CertificateKey& authority_key, const CertificateKey& key,
                          const Leaf& leaf, Random& random);

// RFC 5280 5.3.1, those that a private authority meets.
enum class RevocationReason : std::uint8_t {
  unspecified,
  key_compromise,
  affiliation_changed,
  superseded,
  cessation_of_operation,
  privilege_withdrawn
};
// "unspecified", "keyCompromise", ...: as openssl and RFC 5280 spell them.
[[nodiscard]] std::string_view name_of(RevocationReason reason) noexcept;
[[nodiscard]] std::optional<RevocationReason> revocation_reason(std::string_view name) noexcept;

struct Revoked {
  std::string serial;  // lower-case hex
  WallTime at{};
  RevocationReason reason = RevocationReason::unspecified;
  friend bool operator==(const Revoked&, const Revoked&) = default;
};

struct RevocationList {
  std::uint64_t number = 0;  // RFC 5280 5.2.3: rises with each
  WallTime this_update{}, next_update{};
  std::vector<Revoked> revoked;
};

inline constexpr std::size_t kRevokedMax = 100'000;
inline constexpr std::size_t kCrlPemBytesMax = 16U << 20;

// PEM, version 2, with number, authorityKeyIdentifier and reasons. Code::crypto: authority and key do not belong together.
Result<std::string> make_crl(const Certificate& authority, const CertificateKey& authority_key,
                             const RevocationList& list);
// One PEM block "X509 CRL" signed by `authority`; else Code::crypto. Its times are not looked at.
Result<RevocationList> read_crl(std::string_view pem, const Certificate& authority);

// PKCS #12 (RFC 7292) for browsers and phones: key and certificate with those of `chain`, AES-256-CBC under PBKDF2 with
// SHA-256. Code::validation: a password of less than 8 bytes.
Result<Secret> make_pkcs12(const CertificateKey& key, const Certificate& certificate,
                           std::span<const Certificate> chain, std::string_view name, const Secret& password);

}  // namespace sallyport::crypto
