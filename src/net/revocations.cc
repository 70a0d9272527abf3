#include "net/revocations.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

#include "core/encoding.h"
#include "net/peer_certificate.h"

namespace sallyport::net {
namespace {

constexpr std::size_t kMost = 1'000'000;

struct BioFree {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct ListFree {
  void operator()(X509_CRL* list) const noexcept { X509_CRL_free(list); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;

// As read_certificate() writes an issuer.
std::string name_text(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
}

// As it writes a serial number.
std::string serial_text(const ASN1_INTEGER* serial) {
  const auto size = static_cast<std::size_t>(ASN1_STRING_length(serial));
  auto hex = hex_encode(std::as_bytes(std::span(ASN1_STRING_get0_data(serial), size)));
  hex.erase(0, std::min(hex.find_first_not_of('0'), hex.size()));
  if (hex.empty()) hex = "0";
  return (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0 ? "-" + hex : hex;
}

}  // namespace

Result<Revocations> Revocations::read(std::string_view pem) {
  Revocations out;
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  for (;;) {
    ERR_clear_error();
    const std::unique_ptr<X509_CRL, ListFree> list(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
    if (!list) break;
    const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(list.get());
    SP_TRY(const WallTime from, time_of(X509_CRL_get0_lastUpdate(list.get())));
    out.from_ = std::max(out.from_, from);
    if (next != nullptr) {
      SP_TRY(const WallTime until, time_of(next));
      out.until_ = std::min(out.until_, until);
    }
    const std::string issuer = name_text(X509_CRL_get_issuer(list.get()));
    const STACK_OF(X509_REVOKED)* const revoked = X509_CRL_get_REVOKED(list.get());
    for (int i = 0; i < sk_X509_REVOKED_num(revoked); ++i) {
      out.all_.emplace(issuer, serial_text(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, i))));
    }
    if (out.all_.size() > kMost) return fail(Code::config, "revocation lists: more than 1,000,000 certificates");
  }
  const bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!end) return fail(Code::config, "revocation lists: one that cannot be read");
  return out;
}

}  // namespace sallyport::net
