#include "crypto/x509.h"

#include <openssl/pem.h>

#include "crypto/quiet_errors.h"
#include "crypto/x509_impl.h"

namespace sallyport::crypto {
namespace {

constexpr std::size_t kNameBytesMax = 1024;

std::unexpected<Error> failed(std::string_view what) { return fail(Code::crypto, std::string(what)); }

std::string common_name_of(const X509_NAME* name) {
  const int first = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (first < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, first) >= 0) return {};
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, first)));
  if (size < 0) return {};
  std::string out(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return out;
}

std::string ip_text(std::string_view bytes) {
  const auto address = ip_address_of(bytes);
  return address ? address->text() : std::string();
}

// A name with a NUL or other bytes that no such name has stays out: a reader that stops there would see another one.
bool read_names(const X509* x509, CertificateFacts& facts) {
  std::size_t count = 0;
  return for_alt_names(x509, [&](std::optional<AltNameKind> kind, std::string_view bytes) {
    AltName found;
    if (kind) found = {*kind, *kind == AltNameKind::ip ? ip_text(bytes) : std::string(bytes)};
    if (is_plain_name(found.value, kNameBytesMax)) facts.alt_names.push_back(std::move(found));
    else facts.other_names = true;
    return ++count <= kAltNamesMax;
  });
}

std::string key_text(const EVP_PKEY* key) {
  if (key == nullptr) return "unknown";
  const std::string bits = std::to_string(EVP_PKEY_get_bits(key));
  if (EVP_PKEY_is_a(key, "EC") == 1) return bits == "256" ? "EC P-256" : "EC " + bits;
  const char* const type = EVP_PKEY_get0_type_name(key);
  return (type == nullptr ? std::string("unknown") : std::string(type)) + " " + bits;
}

bool read_facts(X509* x509, CertificateFacts& facts) {
  facts.subject = name_text(X509_get_subject_name(x509), NameForm::utf8).value_or("");
  facts.issuer = name_text(X509_get_issuer_name(x509), NameForm::utf8).value_or("");
  facts.common_name = common_name_of(X509_get_subject_name(x509));
  const auto from = wall_time(X509_get0_notBefore(x509)), until = wall_time(X509_get0_notAfter(x509));
  facts.serial = serial_text(X509_get0_serialNumber(x509));
  if (!from || !until || facts.serial.empty() || !read_names(x509, facts)) return false;
  facts.not_before = *from;
  facts.not_after = *until;
  facts.fingerprint_sha256 = fingerprint_of(x509);
  facts.spki_sha256 = spki_sha256_of(X509_get_X509_PUBKEY(x509));
  facts.key = key_text(X509_get0_pubkey(x509));
  facts.is_ca = X509_check_ca(x509) == 1;
  const std::uint32_t flags = X509_get_extension_flags(x509);
  const std::uint32_t usage = (flags & EXFLAG_XKUSAGE) != 0 ? X509_get_extended_key_usage(x509) : 0;
  facts.for_server = (usage & XKU_SSL_SERVER) != 0;
  facts.for_client = (usage & XKU_SSL_CLIENT) != 0;
  return (flags & EXFLAG_INVALID) == 0;
}

}  // namespace

Result<Certificate> certificate_of(X509Ptr x509) {
  auto impl = std::make_unique<Certificate::Impl>();
  if (!x509 || !read_facts(x509.get(), impl->facts)) return failed("not a certificate that can be read");
  impl->x509 = std::move(x509);
  return Certificate(std::move(impl));
}

Certificate::Certificate(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Certificate::Certificate(Certificate&&) noexcept = default;
Certificate& Certificate::operator=(Certificate&&) noexcept = default;
Certificate::~Certificate() = default;

Result<std::vector<Certificate>> Certificate::chain_from_pem(std::string_view pem) {
  const QuietErrors quiet;
  if (pem.size() > kChainPemBytesMax) return fail(Code::limit, "certificates of more than 128 KiB");
  const auto blocks = pem_blocks(pem, PEM_STRING_X509, kChainMax);
  if (blocks.empty()) return failed("not 1 to 10 PEM blocks CERTIFICATE");
  std::vector<Certificate> chain;
  for (const std::string& der : blocks) {
    if (der.size() > kCertificateBytesMax) return fail(Code::limit, "a certificate of more than 32 KiB");
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    X509Ptr x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (!x509 || at != reinterpret_cast<const unsigned char*>(der.data()) + der.size())
      return failed("not a certificate");
    SP_TRY(Certificate one, certificate_of(std::move(x509)));
    chain.push_back(std::move(one));
  }
  return chain;
}

Result<Certificate> Certificate::from_pem(std::string_view pem) {
  SP_TRY(auto chain, chain_from_pem(pem));
  if (chain.size() != 1) return failed("not one certificate but several");
  return std::move(chain.front());
}

const CertificateFacts& Certificate::facts() const noexcept { return impl_->facts; }

std::string Certificate::pem() const {
  const QuietErrors quiet;
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), impl_->x509.get()) != 1) return {};
  return text_of(bio.get());
}

bool Certificate::belongs_to(const CertificateKey& key) const noexcept {
  return impl_->facts.spki_sha256 == key.spki_sha256();
}

bool Certificate::issued_by(const Certificate& authority) const noexcept {
  const QuietErrors quiet;
  EVP_PKEY* const key = X509_get0_pubkey(authority.impl_->x509.get());
  return key != nullptr && X509_check_issued(authority.impl_->x509.get(), impl_->x509.get()) == X509_V_OK &&
         X509_verify(impl_->x509.get(), key) == 1;
}

}  // namespace sallyport::crypto
