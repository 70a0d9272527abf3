#include "crypto/ecdsa_form.h"

#include <openssl/bn.h>
#include <openssl/ec.h>

#include <memory>

namespace sallyport::crypto {
namespace {

using Pair = std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)>;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

const unsigned char* bytes(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::optional<std::string> ecdsa_raw(std::string_view der, std::size_t size) {
  const unsigned char* at = bytes(der);
  const Pair pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), &ECDSA_SIG_free);
  if (!pair) return std::nullopt;
  std::string raw(2 * size, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  const int width = static_cast<int>(size);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, width) != width ||
      BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + size, width) != width) {
    return std::nullopt;
  }
  return raw;
}

std::optional<std::string> ecdsa_der(std::string_view raw, std::size_t size) {
  if (raw.size() != 2 * size) return std::nullopt;
  const int width = static_cast<int>(size);
  const Pair pair(ECDSA_SIG_new(), &ECDSA_SIG_free);
  Number r(BN_bin2bn(bytes(raw), width, nullptr), &BN_free);
  Number s(BN_bin2bn(bytes(raw) + size, width, nullptr), &BN_free);
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return std::nullopt;
  (void)r.release();  // the pair owns them now
  (void)s.release();
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &der);
  if (length <= 0) return std::nullopt;
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return out;
}

}  // namespace sallyport::crypto
