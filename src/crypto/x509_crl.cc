// Revocation lists: made, and read.
#include <openssl/pem.h>

#include <algorithm>
#include <array>

#include "crypto/quiet_errors.h"
#include "crypto/x509_impl.h"
#include "crypto/x509_issue.h"

namespace sallyport::crypto {
namespace {

struct ReasonRow {
  std::string_view name;
  int code;  // RFC 5280 5.3.1
};
constexpr std::array<ReasonRow, 6> kReasons{{{"unspecified", 0},
                                             {"keyCompromise", 1},
                                             {"affiliationChanged", 3},
                                             {"superseded", 4},
                                             {"cessationOfOperation", 5},
                                             {"privilegeWithdrawn", 9}}};

using RevokedPtr = std::unique_ptr<X509_REVOKED, ReleasedBy<&X509_REVOKED_free>>;
using EnumeratedPtr = std::unique_ptr<ASN1_ENUMERATED, ReleasedBy<&ASN1_ENUMERATED_free>>;

std::unexpected<Error> failed(std::string_view what) { return fail(Code::crypto, std::string(what)); }

// RFC 5280 5.3.1: "unspecified" is said by leaving the reason out.
bool set_reason(X509_REVOKED* row, RevocationReason reason) {
  if (reason == RevocationReason::unspecified) return true;
  const EnumeratedPtr code(ASN1_ENUMERATED_new());
  return code && ASN1_ENUMERATED_set(code.get(), kReasons[static_cast<std::size_t>(reason)].code) == 1 &&
         X509_REVOKED_add1_ext_i2d(row, NID_crl_reason, code.get(), 0, 0) == 1;
}

bool add(X509_CRL* crl, const Revoked& revoked) {
  RevokedPtr row(X509_REVOKED_new());
  const IntegerPtr serial = serial_number(revoked.serial);
  const TimePtr at = asn1_time(revoked.at);
  if (!row || !serial || !at || X509_REVOKED_set_serialNumber(row.get(), serial.get()) != 1 ||
      X509_REVOKED_set_revocationDate(row.get(), at.get()) != 1 || !set_reason(row.get(), revoked.reason) ||
      X509_CRL_add0_revoked(crl, row.get()) != 1) {
    return false;
  }
  row.release();  // the list has it now
  return true;
}

bool add_extensions(X509_CRL* crl, X509* issuer, std::uint64_t number) {
  const IntegerPtr value(ASN1_INTEGER_new());
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, crl, 0);
  X509V3_set_ctx_nodb(&context);
  const ExtensionPtr key(X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  return value && key && ASN1_INTEGER_set_uint64(value.get(), number) == 1 &&
         X509_CRL_add_ext(crl, key.get(), -1) == 1 &&
         X509_CRL_add1_ext_i2d(crl, NID_crl_number, value.get(), 0, 0) == 1;
}

RevocationReason reason_of(const X509_REVOKED* row) {
  const EnumeratedPtr code(
      static_cast<ASN1_ENUMERATED*>(X509_REVOKED_get_ext_d2i(row, NID_crl_reason, nullptr, nullptr)));
  const long value = code ? ASN1_ENUMERATED_get(code.get()) : 0;
  const auto found = std::ranges::find(kReasons, value, &ReasonRow::code);
  return found == kReasons.end() ? RevocationReason::unspecified
                                 : static_cast<RevocationReason>(found - kReasons.begin());
}

Result<RevocationList> facts_of(X509_CRL* crl) {
  RevocationList out;
  const IntegerPtr number(static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(crl, NID_crl_number, nullptr, nullptr)));
  const auto now = wall_time(X509_CRL_get0_lastUpdate(crl)), next = wall_time(X509_CRL_get0_nextUpdate(crl));
  if (!number || ASN1_INTEGER_get_uint64(&out.number, number.get()) != 1 || !now || !next) {
    return failed("a revocation list without number or times");
  }
  out.this_update = *now;
  out.next_update = *next;
  STACK_OF(X509_REVOKED)* const rows = X509_CRL_get_REVOKED(crl);
  const int count = rows == nullptr ? 0 : sk_X509_REVOKED_num(rows);
  if (count > static_cast<int>(kRevokedMax)) return fail(Code::limit, "a revocation list of more than 100,000");
  for (int i = 0; i < count; ++i) {
    const X509_REVOKED* const row = sk_X509_REVOKED_value(rows, i);
    const auto at = wall_time(X509_REVOKED_get0_revocationDate(row));
    Revoked one{serial_text(X509_REVOKED_get0_serialNumber(row)), at.value_or(WallTime{}), reason_of(row)};
    if (!at || one.serial.empty()) return failed("a revocation list that cannot be read");
    out.revoked.push_back(std::move(one));
  }
  return out;
}

}  // namespace

std::string_view name_of(RevocationReason reason) noexcept { return kReasons[static_cast<std::size_t>(reason)].name; }

std::optional<RevocationReason> revocation_reason(std::string_view name) noexcept {
  const auto found = std::ranges::find(kReasons, name, &ReasonRow::name);
  if (found == kReasons.end()) return std::nullopt;
  return static_cast<RevocationReason>(found - kReasons.begin());
}

Result<std::string> make_crl(const Certificate& authority, const CertificateKey& authority_key,
                             const RevocationList& list) {
  const QuietErrors quiet;
  if (!authority.belongs_to(authority_key)) return failed("the authority's certificate and key do not belong together");
  if (list.revoked.size() > kRevokedMax) return fail(Code::limit, "a revocation list of more than 100,000");
  X509* const issuer = authority.impl().x509.get();
  const CrlPtr crl(X509_CRL_new());
  const TimePtr now = asn1_time(list.this_update), next = asn1_time(list.next_update);
  bool made = crl && now && next && X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) == 1 &&
              X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer)) == 1 &&
              X509_CRL_set1_lastUpdate(crl.get(), now.get()) == 1 &&
              X509_CRL_set1_nextUpdate(crl.get(), next.get()) == 1;
  for (const Revoked& one : list.revoked) made = made && add(crl.get(), one);
  made = made && X509_CRL_sort(crl.get()) == 1 && add_extensions(crl.get(), issuer, list.number) &&
         X509_CRL_sign(crl.get(), authority_key.impl().key.get(), EVP_sha256()) > 0;
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!made || !bio || PEM_write_bio_X509_CRL(bio.get(), crl.get()) != 1)
    return failed("a revocation list could not be made");
  return text_of(bio.get());
}

Result<RevocationList> read_crl(std::string_view pem, const Certificate& authority) {
  const QuietErrors quiet;
  if (pem.size() > kCrlPemBytesMax) return fail(Code::limit, "a revocation list of more than 16 MiB");
  const auto blocks = pem_blocks(pem, PEM_STRING_X509_CRL, 1);
  if (blocks.empty()) return failed("not one PEM block X509 CRL");
  const auto* at = reinterpret_cast<const unsigned char*>(blocks.front().data());
  const auto* const end = at + blocks.front().size();
  const CrlPtr crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(blocks.front().size())));
  X509* const issuer = authority.impl().x509.get();
  EVP_PKEY* const key = X509_get0_pubkey(issuer);
  if (!crl || at != end || key == nullptr) return failed("not a revocation list");
  if (X509_NAME_cmp(X509_CRL_get_issuer(crl.get()), X509_get_subject_name(issuer)) != 0 ||
      X509_CRL_verify(crl.get(), key) != 1) {
    return failed("the authority did not sign this revocation list");
  }
  return facts_of(crl.get());
}

}  // namespace sallyport::crypto
