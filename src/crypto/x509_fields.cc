#include "crypto/x509_fields.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "core/encoding.h"
#include "crypto/x509_impl.h"

namespace sallyport::crypto {
namespace {

std::string_view bytes_of(const ASN1_STRING* text) noexcept {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::pair<std::optional<AltNameKind>, std::string_view> read_name(const GENERAL_NAME* name) noexcept {
  switch (name->type) {
    case GEN_DNS: return {AltNameKind::dns, bytes_of(name->d.dNSName)};
    case GEN_EMAIL: return {AltNameKind::email, bytes_of(name->d.rfc822Name)};
    case GEN_URI: return {AltNameKind::uri, bytes_of(name->d.uniformResourceIdentifier)};
    case GEN_IPADD: return {AltNameKind::ip, bytes_of(name->d.iPAddress)};
    default: return {};
  }
}

}  // namespace

std::optional<std::string> name_text(const X509_NAME* name, NameForm form) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  constexpr unsigned long kAscii = XN_FLAG_RFC2253, kUtf8 = kAscii & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, form == NameForm::ascii ? kAscii : kUtf8) < 0) return std::nullopt;
  return text_of(bio.get());
}

std::optional<WallTime> wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  const std::time_t seconds = ::timegm(&parts);
  // What a WallTime of microseconds cannot hold, RFC 5280 4.1.2.5 does not need: years 0 to 9999.
  return WallTime(std::chrono::seconds(seconds));
}

std::string fingerprint_of(const X509* x509) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(x509, EVP_sha256(), digest.data(), &size) != 1) return {};
  return hex_encode(std::as_bytes(std::span(digest).first(size)));
}

std::optional<Digest> spki_digest(const X509_PUBKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(key, &der);
  if (size <= 0) return std::nullopt;
  const Digest digest = sha256(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  return digest;
}

std::string spki_sha256_of(const X509_PUBKEY* key) {
  const auto digest = spki_digest(key);
  return digest ? hex_encode(*digest) : std::string();
}

bool for_alt_names(const X509* x509,
                   const std::function<bool(std::optional<AltNameKind> kind, std::string_view bytes)>& take) {
  int critical = 0;
  const NamesPtr names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, nullptr)));
  if (!names) return critical == -1;  // there is none; else two of them, or one that cannot be read
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto [kind, bytes] = read_name(sk_GENERAL_NAME_value(names.get(), i));
    if (!take(kind, bytes)) return false;
  }
  return true;
}

bool is_plain_name(std::string_view text, std::size_t bytes_max) noexcept {
  return !text.empty() && text.size() <= bytes_max &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::optional<IpAddress> ip_address_of(std::string_view bytes) noexcept {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  IpAddress address;
  address.v6 = bytes.size() == 16;
  std::ranges::transform(bytes, address.bytes.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  return address;
}

}  // namespace sallyport::crypto
