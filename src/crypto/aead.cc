#include "crypto/aead.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>

namespace sallyport::crypto {
namespace {

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const EVP_CIPHER* algorithm() noexcept {
  static const EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return fetched;
}

unsigned char* bytes(char* text) noexcept { return reinterpret_cast<unsigned char*>(text); }
const unsigned char* bytes(const char* text) noexcept { return reinterpret_cast<const unsigned char*>(text); }
const unsigned char* bytes(std::span<const std::byte> data) noexcept {
  return reinterpret_cast<const unsigned char*>(data.data());
}

// Key and nonce set, additional data taken in; null on any failure.
Context begin(std::span<const std::byte> key, const char* nonce, std::string_view additional, int encrypt) {
  Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int ignored = 0;
  if (!context || algorithm() == nullptr ||
      EVP_CipherInit_ex2(context.get(), algorithm(), bytes(key), bytes(nonce), encrypt, nullptr) != 1 ||
      (!additional.empty() && EVP_CipherUpdate(context.get(), nullptr, &ignored, bytes(additional.data()),
                                               static_cast<int>(additional.size())) != 1)) {
    context.reset();
  }
  return context;
}

bool run(EVP_CIPHER_CTX* context, char* out, const char* in, std::size_t size) {
  int written = 0;
  return size == 0 || EVP_CipherUpdate(context, bytes(out), &written, bytes(in), static_cast<int>(size)) == 1;
}

Result<void> check(std::span<const std::byte> key, std::size_t plain, std::size_t additional) {
  if (key.size() != kAeadKeyBytes) return fail(Code::crypto, "AES-256-GCM wants a key of 32 bytes");
  if (plain > kAeadPlainBytesMax || additional > kAeadPlainBytesMax) return fail(Code::limit, "AEAD over 64 MiB");
  return {};
}

}  // namespace

Result<std::string> seal(std::span<const std::byte> key, std::string_view plain, std::string_view additional,
                         Random& random) {
  SP_CHECK(check(key, plain.size(), additional.size()));
  std::string out(kAeadNonceBytes + plain.size() + kAeadTagBytes, '\0');
  random.fill(std::as_writable_bytes(std::span(out.data(), kAeadNonceBytes)));
  char* const body = out.data() + kAeadNonceBytes;
  char* const tag = body + plain.size();
  int ignored = 0;
  const Context context = begin(key, out.data(), additional, 1);
  if (!context || !run(context.get(), body, plain.data(), plain.size()) ||
      EVP_CipherFinal_ex(context.get(), bytes(tag), &ignored) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, tag) != 1) {
    return fail(Code::crypto, "AES-256-GCM seal failed");
  }
  return out;
}

Result<std::string> open(std::span<const std::byte> key, std::string_view sealed, std::string_view additional) {
  if (sealed.size() < kAeadNonceBytes + kAeadTagBytes) return fail(Code::crypto, "sealed value does not open");
  const std::size_t size = sealed.size() - kAeadNonceBytes - kAeadTagBytes;
  SP_CHECK(check(key, size, additional.size()));
  std::string out(size, '\0');
  unsigned char none[kAeadTagBytes];
  int ignored = 0;
  const Context context = begin(key, sealed.data(), additional, 0);
  // The tag is only read; OpenSSL's interface has no const here.
  char* const tag = const_cast<char*>(sealed.data() + kAeadNonceBytes + size);
  if (!context || !run(context.get(), out.data(), sealed.data() + kAeadNonceBytes, size) ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag) != 1 ||
      EVP_CipherFinal_ex(context.get(), none, &ignored) != 1) {
    OPENSSL_cleanse(out.data(), out.size());
    return fail(Code::crypto, "sealed value does not open");
  }
  return out;
}

}  // namespace sallyport::crypto
