#include "crypto/scrypt.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <atomic>
#include <charconv>
#include <memory>
#include <utility>

#include "core/encoding.h"
#include "crypto/quiet_errors.h"

namespace sallyport::crypto {
namespace {

constexpr std::string_view kHead = "$scrypt$ln=";
constexpr std::string_view kCost = ",r=8,p=1$";
constexpr std::uint32_t kR = 8;
constexpr std::uint32_t kP = 1;
constexpr std::size_t kSaltBytes = 32;
constexpr std::size_t kSaltBytesMin = 16;
constexpr std::size_t kSaltBytesMax = 64;

bool in_bounds(unsigned log2_n) noexcept { return log2_n >= scrypt_log2_n() && log2_n <= kScryptLog2NMax; }

// OSSL_PARAM holds no const pointers; the inputs are only read.
OSSL_PARAM octets(const char* name, std::string_view text) noexcept {
  return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(text.empty() ? "" : text.data()), text.size());
}

#ifdef SALLYPORT_FAULTS
constexpr unsigned kCheapLog2N = 10;
std::atomic<unsigned> least{kScryptLog2NMin};
#endif

}  // namespace

#ifdef SALLYPORT_FAULTS
CheapScrypt::CheapScrypt() noexcept { least = kCheapLog2N; }
CheapScrypt::~CheapScrypt() { least = kScryptLog2NMin; }
unsigned scrypt_log2_n() noexcept { return least; }
#endif

Result<ScryptParameters> ScryptParameters::fresh(Random& random, unsigned log2_n) {
  if (!in_bounds(log2_n)) return fail(Code::config, "scrypt's ln is 17 to 19 (N = 2^ln)");
  std::string salt(kSaltBytes, '\0');
  random.fill(std::as_writable_bytes(std::span(salt)));
  return ScryptParameters(log2_n, std::move(salt));
}

Result<ScryptParameters> ScryptParameters::parse(std::string_view text) {
  const auto refused =
      fail(Code::config, "not of the form $scrypt$ln=17..19,r=8,p=1$salt of 16 to 64 bytes in base64url");
  if (!text.starts_with(kHead) || text.size() > 128) return refused;
  unsigned log2_n = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + kHead.size(), end, log2_n);
  if (error != std::errc{} || !in_bounds(log2_n)) return refused;
  const std::string_view tail(rest, end);
  if (!tail.starts_with(kCost)) return refused;
  const auto salt = base64url_decode(tail.substr(kCost.size()));
  if (!salt || salt->size() < kSaltBytesMin || salt->size() > kSaltBytesMax) return refused;
  ScryptParameters parameters(log2_n, std::string(as_text(*salt)));
  if (parameters.text() != text) return refused;  // "ln=017" is another spelling
  return parameters;
}

std::string ScryptParameters::text() const {
  return std::string(kHead) + std::to_string(log2_n_) + std::string(kCost) + base64url_encode(as_bytes(salt_));
}

Result<LockedKey> ScryptParameters::derive(std::string_view password) const {
  if (password.empty() || password.size() > kScryptPasswordBytesMax) {
    return fail(Code::limit, "a password has 1 to 1024 bytes");
  }
  LockedKey key;
  if (!scrypt_unbounded(password, salt_, std::uint64_t{1} << log2_n_, kR, kP, key.writable())) {
    return fail(Code::limit, "scrypt could not get its memory (128 x 8 x 2^ln bytes)");
  }
  return key;
}

bool scrypt_unbounded(std::string_view password, std::string_view salt, std::uint64_t n, std::uint32_t r,
                      std::uint32_t p, std::span<std::byte> out) {
  static EVP_KDF* const algorithm = EVP_KDF_fetch(nullptr, "SCRYPT", nullptr);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(
      algorithm != nullptr ? EVP_KDF_CTX_new(algorithm) : nullptr, &EVP_KDF_CTX_free);
  std::uint64_t memory_bytes = std::uint64_t{128} * r * (n + p + 2) + (1U << 20);  // OpenSSL's own limit is 32 MiB
  const OSSL_PARAM params[] = {octets(OSSL_KDF_PARAM_PASSWORD, password),
                               octets(OSSL_KDF_PARAM_SALT, salt),
                               OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
                               OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
                               OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
                               OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory_bytes),
                               OSSL_PARAM_construct_end()};
  const QuietErrors quiet;
  return context &&
         EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(out.data()), out.size(), params) == 1;
}

}  // namespace sallyport::crypto
