// What a client's certificate says, as plain values: made once, after a handshake that verified it, and read by whoever
// turns it into a principal. Immutable and shared; any thread. At most kNamesMax names of each kind, of at most 253 bytes
// (e-mail, URI: 2,048); a certificate beyond that, or with a NUL inside a name, is refused.
#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/ip_address.h"
#include "core/result.h"

struct asn1_string_st;
struct x509_st;

namespace sallyport::net {

inline constexpr std::size_t kNamesMax = 64;

struct PeerCertificate {
  std::string fingerprint_sha256;  // of the DER of the certificate; 64 digits of lower-case hex, no colons
  std::string spki_sha256;  // of its SubjectPublicKeyInfo, as above: stays when the key does
  std::string subject, issuer;  // RFC 2253 text: "CN=agent,O=Example"
  std::vector<std::string> dns, uris, emails;  // subjectAltName as it stands; DNS names in lower case
  std::vector<IpAddress> ips;
  // SHA-256 of the keys of those above it in the chain that was verified, as spki_sha256
  std::vector<std::string> authorities;
  std::string links;  // of it, and of those above it: revocation_link() (net/revocations.h)
  WallTime not_before{}, not_after{};
};

// Errors: crypto (a field that cannot be read, or beyond the limits). Says nothing about trust: the handshake did.
Result<PeerCertificate> read_certificate(x509_st* certificate);

// An ASN1_TIME of a certificate or of what belongs to one. Errors: crypto.
Result<WallTime> time_of(const asn1_string_st* time);

}  // namespace sallyport::net
