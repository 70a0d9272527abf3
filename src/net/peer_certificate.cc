#include "net/peer_certificate.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/encoding.h"

namespace sallyport::net {
namespace {

constexpr std::size_t kNameMax = 2048, kDnsMax = 253;

struct BioDeleter {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct NamesDeleter {
  void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
};

std::unexpected<Error> unreadable(const char* what) {
  return fail(Code::crypto, std::string("certificate: ") + what + " cannot be read");
}

std::string hex_of(const std::array<unsigned char, EVP_MAX_MD_SIZE>& digest, unsigned size) {
  return hex_encode(std::as_bytes(std::span(digest.data(), size)));
}

Result<std::string> name_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, BioDeleter> out(BIO_new(BIO_s_mem()));
  // RFC 2253 escapes what would read as another attribute; all but ASCII is escaped too, so that a log shows what is there.
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return unreadable("a name");
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  if (size < 0 || static_cast<std::size_t>(size) > kNameMax) return unreadable("a name longer than 2,048 bytes");
  return std::string(text, static_cast<std::size_t>(size));
}

Result<std::string> serial_text(const X509* certificate) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  const int size = ASN1_STRING_length(serial);
  if (size > 32) return unreadable("a serial number longer than 32 bytes");
  auto hex = hex_encode(std::as_bytes(std::span(ASN1_STRING_get0_data(serial), static_cast<std::size_t>(size))));
  hex.erase(0, std::min(hex.find_first_not_of('0'), hex.size()));
  if (hex.empty()) hex = "0";
  return (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0 ? "-" + hex : hex;
}

// IA5String: ASCII without control characters. "good.example\0.evil" has tricked many.
Result<void> take_text(const ASN1_STRING* value, std::size_t longest, std::vector<std::string>& into) {
  const auto* const data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(value));
  const std::string_view text(data, static_cast<std::size_t>(ASN1_STRING_length(value)));
  if (text.empty() || text.size() > longest || into.size() >= kNamesMax) return unreadable("an alternative name");
  if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; })) return unreadable("an alternative name");
  into.emplace_back(text);
  return {};
}

Result<void> take_address(const ASN1_STRING* value, std::vector<IpAddress>& into) {
  const int size = ASN1_STRING_length(value);
  if ((size != 4 && size != 16) || into.size() >= kNamesMax) return unreadable("an alternative address");
  IpAddress address;
  address.v6 = size == 16;
  std::copy_n(ASN1_STRING_get0_data(value), size, address.bytes.begin());
  into.push_back(address);
  return {};
}

Result<void> take_name(const GENERAL_NAME* name, PeerCertificate& out) {
  int type = 0;
  const void* const value = GENERAL_NAME_get0_value(name, &type);
  const auto* const text = static_cast<const ASN1_STRING*>(value);
  switch (type) {
    case GEN_DNS: return take_text(text, kDnsMax, out.dns);
    case GEN_URI: return take_text(text, kNameMax, out.uris);
    case GEN_EMAIL: return take_text(text, kNameMax, out.emails);
    case GEN_IPADD: return take_address(text, out.ips);
    default: return {};  // of no use to anyone here
  }
}

Result<void> read_names(const X509* certificate, PeerCertificate& out) {
  int critical = 0;
  const std::unique_ptr<GENERAL_NAMES, NamesDeleter> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  if (!names) return critical == -1 ? Result<void>() : unreadable("subjectAltName");  // -1: there is none
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i)
    SP_CHECK(take_name(sk_GENERAL_NAME_value(names.get(), i), out));
  for (auto& name : out.dns) {
    for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  return {};
}

}  // namespace

Result<WallTime> time_of(const asn1_string_st* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return unreadable("a date");
  const auto day = std::chrono::year(parts.tm_year + 1900) / (parts.tm_mon + 1) / parts.tm_mday;
  return WallTime(std::chrono::sys_days(day)) + std::chrono::hours(parts.tm_hour) + std::chrono::minutes(parts.tm_min) +
         std::chrono::seconds(parts.tm_sec);
}

Result<PeerCertificate> read_certificate(x509_st* certificate) {
  PeerCertificate out;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return unreadable("its digest");
  out.fingerprint_sha256 = hex_of(digest, size);
  unsigned char* spki = nullptr;
  const int spki_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
  const bool hashed = spki_size > 0 && EVP_Digest(spki, static_cast<std::size_t>(spki_size), digest.data(), &size,
                                                  EVP_sha256(), nullptr) == 1;
  OPENSSL_free(spki);
  if (!hashed) return unreadable("its key");
  out.spki_sha256 = hex_of(digest, size);
  SP_TRY(out.subject, name_text(X509_get_subject_name(certificate)));
  SP_TRY(out.issuer, name_text(X509_get_issuer_name(certificate)));
  SP_TRY(out.serial, serial_text(certificate));
  SP_TRY(out.not_before, time_of(X509_get0_notBefore(certificate)));
  SP_TRY(out.not_after, time_of(X509_get0_notAfter(certificate)));
  SP_CHECK(read_names(certificate, out));
  return out;
}

}  // namespace sallyport::net
