// The fields of certificates and revocation lists (RFC 5280), each read in one place from OpenSSL's objects: for crypto's
// readers of PEM, and for net, whose objects come out of handshakes. Whoever asks sets the bounds. Plain functions, any thread.
#pragma once

#include <openssl/x509v3.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/ip_address.h"
#include "crypto/alt_name.h"
#include "crypto/hash.h"

namespace sallyport::crypto {

enum class NameForm : std::uint8_t {
  utf8,  // as people read it
  ascii,  // all but ASCII escaped too, so that a log shows what is there
};

// RFC 2253, which escapes what would read as another attribute; control characters escaped. None: it cannot be written.
std::optional<std::string> name_text(const X509_NAME* name, NameForm form);

// UTC. None: no date that can be read, or null.
std::optional<WallTime> wall_time(const ASN1_TIME* time);

// SHA-256 of the DER, 64 digits of lower-case hex; empty where it cannot be written.
std::string fingerprint_of(const X509* x509);

// RFC 7469 2.4: of the DER of the SubjectPublicKeyInfo. None: it cannot be written.
std::optional<Digest> spki_digest(const X509_PUBKEY* key);
std::string spki_sha256_of(const X509_PUBKEY* key);  // the same as 64 digits of lower-case hex, or empty

// subjectAltName in its order: which kind (none: not one of the four) and the bytes as they stand, until `take` says false. False:
// it did, or the extension cannot be read, or there are two of them. None at all is true.
bool for_alt_names(const X509* x509,
                   const std::function<bool(std::optional<AltNameKind> kind, std::string_view bytes)>& take);

// IA5String as names are: ASCII without blanks and control characters, one byte at least. "good.example\0.evil" has tricked many.
bool is_plain_name(std::string_view text, std::size_t bytes_max) noexcept;

// Of an iPAddress: 4 or 16 bytes.
std::optional<IpAddress> ip_address_of(std::string_view bytes) noexcept;

}  // namespace sallyport::crypto
