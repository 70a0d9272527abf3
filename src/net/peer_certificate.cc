#include "net/peer_certificate.h"

#include <algorithm>

#include "crypto/x509_fields.h"
#include "net/revocations.h"

namespace sallyport::net {
namespace {

using crypto::AltNameKind;

constexpr std::size_t kNameMax = 2048, kDnsMax = 253;
constexpr int kSerialBytesMax = 32;

std::unexpected<Error> unreadable(const char* what) {
  return fail(Code::crypto, std::string("certificate: ") + what + " cannot be read");
}

Result<std::string> name_text(const X509_NAME* name) {
  auto text = crypto::name_text(name, crypto::NameForm::ascii);
  if (!text) return unreadable("a name");
  if (text->size() > kNameMax) return unreadable("a name longer than 2,048 bytes");
  return *std::move(text);
}

Result<void> take_text(std::string_view text, std::size_t longest, std::vector<std::string>& into) {
  if (into.size() >= kNamesMax) return fail(Code::crypto, "certificate: more than 64 alternative names of one kind");
  if (!crypto::is_plain_name(text, longest)) return unreadable("an alternative name");
  into.emplace_back(text);
  return {};
}

Result<void> take_address(std::string_view bytes, std::vector<IpAddress>& into) {
  if (into.size() >= kNamesMax) return fail(Code::crypto, "certificate: more than 64 alternative addresses");
  const auto address = crypto::ip_address_of(bytes);
  if (!address) return unreadable("an alternative address");
  into.push_back(*address);
  return {};
}

Result<void> take_name(std::optional<AltNameKind> kind, std::string_view bytes, PeerCertificate& out) {
  if (!kind) return {};  // of no use to anyone here
  switch (*kind) {
    case AltNameKind::dns: return take_text(bytes, kDnsMax, out.dns);
    case AltNameKind::uri: return take_text(bytes, kNameMax, out.uris);
    case AltNameKind::email: return take_text(bytes, kNameMax, out.emails);
    case AltNameKind::ip: return take_address(bytes, out.ips);
  }
  return unreadable("an alternative name");
}

Result<void> read_names(const X509* certificate, PeerCertificate& out) {
  Result<void> taken;
  const bool whole = crypto::for_alt_names(certificate, [&](std::optional<AltNameKind> kind, std::string_view bytes) {
    taken = take_name(kind, bytes, out);
    return taken.has_value();
  });
  SP_CHECK(taken);
  if (!whole) return unreadable("subjectAltName");
  for (auto& name : out.dns) {
    for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  return {};
}

}  // namespace

Result<WallTime> time_of(const asn1_string_st* time) {
  const auto read = crypto::wall_time(time);
  if (!read) return unreadable("a date");
  return *read;
}

Result<PeerCertificate> read_certificate(x509_st* certificate) {
  PeerCertificate out;
  out.fingerprint_sha256 = crypto::fingerprint_of(certificate);
  if (out.fingerprint_sha256.empty()) return unreadable("its digest");
  out.spki_sha256 = crypto::spki_sha256_of(X509_get_X509_PUBKEY(certificate));
  if (out.spki_sha256.empty()) return unreadable("its key");
  SP_TRY(out.subject, name_text(X509_get_subject_name(certificate)));
  SP_TRY(out.issuer, name_text(X509_get_issuer_name(certificate)));
  if (ASN1_STRING_length(X509_get0_serialNumber(certificate)) > kSerialBytesMax)
    return unreadable("a serial number longer than 32 bytes");
  SP_TRY(out.links, revocation_link(*certificate));
  SP_TRY(out.not_before, time_of(X509_get0_notBefore(certificate)));
  SP_TRY(out.not_after, time_of(X509_get0_notAfter(certificate)));
  SP_CHECK(read_names(certificate, out));
  return out;
}

}  // namespace sallyport::net
