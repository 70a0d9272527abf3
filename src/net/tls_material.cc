#include "net/tls_material.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "core/encoding.h"
#include "net/peer_certificate.h"

namespace sallyport::net {
namespace {

constexpr std::size_t kChainMax = 10, kAuthoritiesMax = 200;
constexpr int kRsaBitsMin = 2048;  // Mozilla's guideline

struct FreeResponse {
  void operator()(OCSP_RESPONSE* response) const noexcept { OCSP_RESPONSE_free(response); }
  void operator()(OCSP_BASICRESP* response) const noexcept { OCSP_BASICRESP_free(response); }
};

std::unexpected<Error> refuse(std::string what, std::string_view fix) {
  return fail(Code::config, std::move(what) + "; fix: " + std::string(fix));
}

std::string last_reason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "unknown reason" : reason;
}

Result<void> check_strength(EVP_PKEY* key) {
  const int kind = EVP_PKEY_get_base_id(key);
  if (kind == EVP_PKEY_RSA) {
    if (EVP_PKEY_get_bits(key) >= kRsaBitsMin) return {};
    return refuse("tls.key: RSA of " + std::to_string(EVP_PKEY_get_bits(key)) + " bits is too short",
                  "make one of 2,048 bits at least, or on P-256");
  }
  std::array<char, 64> group{};
  std::size_t size = 0;
  const bool named = kind == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1;
  const std::string_view name(group.data(), named ? size : 0);
  if (name == "prime256v1" || name == "secp384r1") return {};
  return refuse("tls.key: neither RSA nor EC on P-256 or P-384",
                "make one with: openssl ecparam -name prime256v1 -genkey -noout");
}

Result<void> check_dates(X509* certificate, WallTime now) {
  SP_TRY(const WallTime begins, time_of(X509_get0_notBefore(certificate)));
  SP_TRY(const WallTime ends, time_of(X509_get0_notAfter(certificate)));
  if (now < begins) {
    return refuse("tls.certificate: not valid before " + iso_time(begins), "set the clock, or have one issued for now");
  }
  if (now >= ends) return refuse("tls.certificate: expired at " + iso_time(ends), "renew it");
  return {};
}

}  // namespace

Result<ServerChain> ServerChain::read(const TlsMaterial& material, WallTime now) {
  ServerChain out;
  auto chain = read_pem_certificates(material.chain, kChainMax);
  if (chain.found.size() > kChainMax) return refuse("tls.certificate: more than 10", "leave the root out");
  if (!chain.whole || chain.found.empty()) {
    return refuse("tls.certificate: holds no certificate in PEM, or a broken one",
                  "the server's certificate first, then its issuers, each as -----BEGIN CERTIFICATE-----");
  }
  out.certificates_ = std::move(chain.found);
  out.key_ = read_pem_key(material.key.reveal());
  if (!out.key_) {
    return refuse("tls.key: holds no private key in PEM without a passphrase",
                  "take the passphrase off: openssl pkey -in FILE -out FILE.plain, mode 0600");
  }
  SP_CHECK(out.check(now));
  return out;
}

Result<void> ServerChain::check(WallTime now) const {
  SP_CHECK(check_strength(key_.get()));
  const bool matches = X509_check_private_key(leaf(), key_.get()) == 1;
  ERR_clear_error();
  if (!matches) return refuse("tls.key: is not the key of tls.certificate", "name the two that were made together");
  SP_CHECK(check_dates(leaf(), now));
  for (std::size_t i = 1; i < certificates_.size(); ++i) {
    if (X509_check_issued(certificates_[i].get(), certificates_[i - 1].get()) == X509_V_OK) continue;
    return refuse("tls.certificate: number " + std::to_string(i + 1) + " did not issue the one before it",
                  "the server's certificate first, then each its issuer");
  }
  return {};
}

Result<void> ServerChain::use_in(ssl_ctx_st* context) const {
  if (SSL_CTX_use_certificate(context, leaf()) != 1 || SSL_CTX_use_PrivateKey(context, key_.get()) != 1) {
    return refuse("tls.certificate: " + last_reason(), "have one issued with a signature by SHA-256 at least");
  }
  for (std::size_t i = 1; i < certificates_.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, certificates_[i].get()) != 1) {
      return refuse("tls.certificate: number " + std::to_string(i + 1) + ": " + last_reason(), "have it issued anew");
    }
  }
  return {};
}

namespace {

Result<std::vector<std::string>> trust_authorities(SSL_CTX* context, std::string_view pem) {
  const auto read = read_pem_certificates(pem, kAuthoritiesMax);
  std::vector<std::string> keys;
  for (const X509Ptr& one : read.found) {
    if (X509_check_ca(one.get()) <= 0)
      return refuse("tls.client_ca: holds a certificate that is no authority's", "name the CA's own certificate");
    if (keys.size() == kAuthoritiesMax || X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get()) != 1 ||
        SSL_CTX_add_client_CA(context, one.get()) != 1) {
      return refuse("tls.client_ca: " + last_reason(), "name 200 authorities at most");
    }
    keys.push_back(hex_encode(spki_digest(*one)));
  }
  if (!read.whole || keys.empty()) {
    return refuse("tls.client_ca: holds no certificate in PEM, or a broken one",
                  "name the file of the CA's certificate");
  }
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  return keys;
}

Result<Revocations> take_lists(SSL_CTX* context, std::string_view pem) {
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  const auto read = read_pem_lists(pem, kAuthoritiesMax);
  for (std::size_t i = 0; i < read.found.size(); ++i) {
    if (i == kAuthoritiesMax || X509_STORE_add_crl(store, read.found[i].get()) != 1)
      return refuse("tls.crl: " + last_reason(), "name 200 lists at most");
  }
  if (!read.whole || (read.found.empty() && !pem.empty())) {
    return refuse("tls.crl: holds no list in PEM, or a broken one", "openssl crl -inform DER -in FILE -out FILE.pem");
  }
  if (!read.found.empty()) X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return Revocations::of(read.found);
}

}  // namespace

Result<TrustedClients> trust_clients(ssl_ctx_st* context, const TlsMaterial& material) {
  TrustedClients out;
  SP_TRY(out.authorities, trust_authorities(context, material.client_ca));
  SP_TRY(out.revocations, take_lists(context, material.crl));
  return out;
}

Result<WallTime> ocsp_validity(std::string_view der, X509* leaf) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<OCSP_RESPONSE, FreeResponse> response(
      d2i_OCSP_RESPONSE(nullptr, &data, static_cast<long>(der.size())));
  const bool good = response && OCSP_response_status(response.get()) == OCSP_RESPONSE_STATUS_SUCCESSFUL;
  const std::unique_ptr<OCSP_BASICRESP, FreeResponse> basic(good ? OCSP_response_get1_basic(response.get()) : nullptr);
  ERR_clear_error();
  constexpr std::string_view kFix = "fetch it anew (openssl ocsp ... -respout FILE), or leave tls.ocsp out";
  if (!basic) return refuse("tls.ocsp: is no response in DER that answers", kFix);
  for (int i = 0; i < OCSP_resp_count(basic.get()); ++i) {
    OCSP_SINGLERESP* const one = OCSP_resp_get0(basic.get(), i);
    ASN1_INTEGER* serial = nullptr;
    auto* const id = const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(one));
    if (OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial, id) != 1) continue;
    if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)) != 0) continue;
    ASN1_GENERALIZEDTIME* until = nullptr;
    const int status = OCSP_single_get0_status(one, nullptr, nullptr, nullptr, &until);
    if (status == V_OCSP_CERTSTATUS_REVOKED)
      return refuse("tls.certificate: is revoked, says tls.ocsp", "have one issued");
    if (status != V_OCSP_CERTSTATUS_GOOD || until == nullptr) break;
    return time_of(until);
  }
  return refuse("tls.ocsp: does not say that tls.certificate is good, and until when", kFix);
}

}  // namespace sallyport::net
