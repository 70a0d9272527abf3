// Keys from the members of a JWK, as the RFCs print them. Tests only: the product reads no JWK.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/encoding.h"
#include "crypto/jws_key.h"

namespace sallyport::crypto::testing {

using EvpKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

class KeyBuilder {
 public:
  KeyBuilder& number(const char* name, std::string_view base64url) {
    const auto bytes = base64url_decode(base64url).value();
    numbers_.emplace_back(
        BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr),
        &BN_free);
    OSSL_PARAM_BLD_push_BN(builder_.get(), name, numbers_.back().get());
    return *this;
  }
  KeyBuilder& text(const char* name, const char* value) {
    OSSL_PARAM_BLD_push_utf8_string(builder_.get(), name, value, 0);
    return *this;
  }
  // Views must live until build().
  KeyBuilder& octets(const char* name, std::string_view bytes) {
    OSSL_PARAM_BLD_push_octet_string(builder_.get(), name, bytes.data(), bytes.size());
    return *this;
  }
  // Null where OpenSSL refuses the key.
  EvpKey build(const char* type, int selection) {
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), &EVP_PKEY_CTX_free);
    const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> params(OSSL_PARAM_BLD_to_param(builder_.get()),
                                                                         &OSSL_PARAM_free);
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_fromdata_init(context.get()) == 1) EVP_PKEY_fromdata(context.get(), &key, selection, params.get());
    return {key, &EVP_PKEY_free};
  }

 private:
  std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder_{OSSL_PARAM_BLD_new(), &OSSL_PARAM_BLD_free};
  std::vector<std::unique_ptr<BIGNUM, decltype(&BN_free)>> numbers_;
};

inline std::string public_der(const EvpKey& key) {
  unsigned char* der = nullptr;
  const int size = key ? i2d_PUBKEY(key.get(), &der) : 0;
  std::string out(reinterpret_cast<const char*>(der), size > 0 ? static_cast<std::size_t>(size) : 0);
  OPENSSL_free(der);
  return out;
}

inline std::string private_der(const EvpKey& key) {
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, decltype(&PKCS8_PRIV_KEY_INFO_free)> info(EVP_PKEY2PKCS8(key.get()),
                                                                                       &PKCS8_PRIV_KEY_INFO_free);
  unsigned char* der = nullptr;
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

inline EvpKey ec_key(const char* group, std::string_view x, std::string_view y, std::string_view d = {}) {
  const std::string point =
      "\x04" + std::string(as_text(base64url_decode(x).value())) + std::string(as_text(base64url_decode(y).value()));
  KeyBuilder builder;
  builder.text(OSSL_PKEY_PARAM_GROUP_NAME, group).octets(OSSL_PKEY_PARAM_PUB_KEY, point);
  if (!d.empty()) builder.number(OSSL_PKEY_PARAM_PRIV_KEY, d);
  return builder.build("EC", d.empty() ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR);
}

inline EvpKey rsa_key(std::string_view n, std::string_view e) {
  KeyBuilder builder;
  return builder.number(OSSL_PKEY_PARAM_RSA_N, n).number(OSSL_PKEY_PARAM_RSA_E, e).build("RSA", EVP_PKEY_PUBLIC_KEY);
}

inline EvpKey ed25519_key(std::string_view seed) {
  const auto bytes = base64url_decode(seed).value();
  return {EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr,
                                          reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()),
          &EVP_PKEY_free};
}

}  // namespace sallyport::crypto::testing
