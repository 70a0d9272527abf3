#include "crypto/x509_issue.h"

#include <openssl/pem.h>

#include <algorithm>
#include <array>

#include "core/ip_address.h"
#include "crypto/quiet_errors.h"
#include "crypto/x509_impl.h"

namespace sallyport::crypto {
namespace {

constexpr std::size_t kSerialBytes = 16;

std::unexpected<Error> failed(std::string_view what) { return fail(Code::crypto, std::string(what)); }

// The first byte is not zero, so that every program writes it with the same 32 digits.
bool set_serial(X509* x509, Random& random) {
  std::array<std::byte, kSerialBytes> bytes{};
  do random.fill(bytes);
  while (bytes[0] == std::byte{0});
  const BignumPtr number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), kSerialBytes, nullptr));
  const IntegerPtr serial(number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr);
  return serial && X509_set_serialNumber(x509, serial.get()) == 1;
}

NamePtr name_with(std::string_view common_name) {
  NamePtr name(X509_NAME_new());
  const auto* const text = reinterpret_cast<const unsigned char*>(common_name.data());
  if (!name || X509_NAME_add_entry_by_NID(name.get(), NID_commonName, MBSTRING_UTF8, text,
                                          static_cast<int>(common_name.size()), -1, 0) != 1) {
    return {};
  }
  return name;
}

bool add(X509* x509, ExtensionPtr extension) { return extension && X509_add_ext(x509, extension.get(), -1) == 1; }

// The texts are ours alone: a caller's name never comes here, where commas and colons mean something.
bool add(X509* x509, X509* issuer, int nid, const char* text) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, x509, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  return add(x509, ExtensionPtr(X509V3_EXT_conf_nid(nullptr, &context, nid, text)));
}

using GeneralName = std::unique_ptr<GENERAL_NAME, ReleasedBy<&GENERAL_NAME_free>>;

GeneralName general_name(const AltName& name) {
  constexpr std::array<int, 4> kTypes{GEN_DNS, GEN_IPADD, GEN_URI, GEN_EMAIL};
  std::string bytes = name.value;
  if (name.kind == AltNameKind::ip) {
    const auto address = IpAddress::parse(name.value);
    if (!address) return {};
    bytes.assign(reinterpret_cast<const char*>(address->bytes.data()), address->v6 ? 16 : 4);
  }
  const bool is_ip = name.kind == AltNameKind::ip;
  std::unique_ptr<ASN1_STRING, ReleasedBy<&ASN1_STRING_free>> text(
      ASN1_STRING_type_new(is_ip ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
  GeneralName out(GENERAL_NAME_new());
  if (!text || !out || ASN1_STRING_set(text.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) return {};
  GENERAL_NAME_set0_value(out.get(), kTypes[static_cast<std::size_t>(name.kind)], text.release());
  return out;
}

bool add_names(X509* x509, const std::vector<AltName>& alt_names) {
  const NamesPtr names(GENERAL_NAMES_new());
  if (!names) return false;
  for (const AltName& name : alt_names) {
    GeneralName one = general_name(name);
    if (!one || sk_GENERAL_NAME_push(names.get(), one.get()) <= 0) return false;
    one.release();  // the stack has it now
  }
  return X509_add1_ext_i2d(x509, NID_subject_alt_name, names.get(), 0, 0) == 1;
}

X509Ptr begin(const CertificateKey& key, std::string_view common_name, const X509_NAME* issuer,
              const Validity& validity, Random& random) {
  X509Ptr x509(X509_new());
  const NamePtr name = name_with(common_name);
  const TimePtr from = asn1_time(validity.not_before), until = asn1_time(validity.not_after);
  const bool made = x509 && name && from && until && X509_set_version(x509.get(), X509_VERSION_3) == 1 &&
                    set_serial(x509.get(), random) && X509_set_subject_name(x509.get(), name.get()) == 1 &&
                    X509_set_issuer_name(x509.get(), issuer == nullptr ? name.get() : issuer) == 1 &&
                    X509_set1_notBefore(x509.get(), from.get()) == 1 &&
                    X509_set1_notAfter(x509.get(), until.get()) == 1 &&
                    X509_set_pubkey(x509.get(), key.impl().key.get()) == 1;
  if (!made) x509.reset();
  return x509;
}

Result<Certificate> sign(X509Ptr x509, const CertificateKey& key) {
  if (X509_sign(x509.get(), key.impl().key.get(), EVP_sha256()) <= 0)
    return failed("a certificate could not be signed");
  return certificate_of(std::move(x509));
}

Result<void> check_times(const Validity& validity) {
  if (validity.not_after <= validity.not_before)
    return fail(Code::validation, "a certificate that ends before it begins");
  return {};
}

Result<void> check_leaf(const Leaf& leaf) {
  SP_CHECK(check_common_name(leaf.common_name));
  if (leaf.alt_names.empty() || leaf.alt_names.size() > kAltNamesMax) {
    return fail(Code::validation, "a certificate has 1 to 100 names");
  }
  for (const AltName& name : leaf.alt_names) {
    SP_TRY(const AltName good, alt_name(name.kind, name.value));
    if (good != name) return fail(Code::validation, "'" + name.value + "' is not written as alt_name() writes it");
    const bool host = name.kind == AltNameKind::dns || name.kind == AltNameKind::ip;
    if (leaf.kind == LeafKind::server && !host) {
      return fail(Code::validation, "a server has host names and addresses alone, not " + to_string(name));
    }
  }
  return {};
}

bool add_leaf_extensions(X509* x509, X509* issuer, const Leaf& leaf) {
  const bool server = leaf.kind == LeafKind::server;
  return add(x509, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
         // No keyEncipherment: every suite of ours is ECDHE (S2-28), an RSA key signs.
         add(x509, issuer, NID_key_usage, "critical,digitalSignature") &&
         add(x509, issuer, NID_ext_key_usage, server ? "serverAuth" : "clientAuth") &&
         add(x509, issuer, NID_subject_key_identifier, "hash") &&
         add(x509, issuer, NID_authority_key_identifier, "keyid:always") && add_names(x509, leaf.alt_names);
}

}  // namespace

Result<Certificate> make_authority(const CertificateKey& key, std::string_view common_name, const Validity& validity,
                                   Random& random) {
  const QuietErrors quiet;
  SP_CHECK(check_common_name(common_name));
  SP_CHECK(check_times(validity));
  X509Ptr x509 = begin(key, common_name, nullptr, validity, random);
  const bool made = x509 && add(x509.get(), x509.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add(x509.get(), x509.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add(x509.get(), x509.get(), NID_subject_key_identifier, "hash");
  if (!made) return failed("a certificate could not be made");
  return sign(std::move(x509), key);
}

Result<Certificate> issue(const Certificate& authority, const CertificateKey& authority_key, const CertificateKey& key,
                          const Leaf& leaf, Random& random) {
  const QuietErrors quiet;
  SP_CHECK(check_leaf(leaf));
  if (!authority.belongs_to(authority_key) || !authority.facts().is_ca) {
    return failed("the authority's certificate and key do not belong together");
  }
  Validity validity = leaf.validity;
  validity.not_after = std::min(validity.not_after, authority.facts().not_after);
  SP_CHECK(check_times(validity));
  X509* const issuer = authority.impl().x509.get();
  X509Ptr x509 = begin(key, leaf.common_name, X509_get_subject_name(issuer), validity, random);
  if (!x509 || !add_leaf_extensions(x509.get(), issuer, leaf)) return failed("a certificate could not be made");
  return sign(std::move(x509), authority_key);
}

}  // namespace sallyport::crypto
