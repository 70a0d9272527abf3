#include "net/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

namespace sallyport::net {
namespace {

constexpr std::size_t kName = 16, kCipher = 32, kMac = 32;

Secret random_key(Random& random) {
  std::string bytes(kName + kCipher + kMac, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  Secret key(bytes);
  wipe(bytes);
  return key;
}

using Held = std::shared_ptr<const TicketKeys>;

void drop(void*, void* held, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Held*>(held); }

int slot() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, drop);
  return index;
}

bool begin_mac(EVP_MAC_CTX* mac, std::string_view key) {
  char digest[] = "SHA256";
  const std::array parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<char*>(key.data()), key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// The shape of SSL_CTX_set_tlsext_ticket_key_evp_cb: 1 done, 0 not resumed, 2 resumed and to be given anew, -1 failed.
int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int seal) {
  const auto* const held = static_cast<const Held*>(SSL_get_ex_data(ssl, slot()));
  if (held == nullptr) return seal == 1 ? -1 : 0;
  const auto key = seal == 1 ? (*held)->sealing() : (*held)->opening({reinterpret_cast<const char*>(name), kName});
  if (key.empty()) return 0;
  const auto* const aes = bytes_of(key.substr(kName, kCipher));
  if (!begin_mac(mac, key.substr(kName + kCipher))) return -1;
  if (seal == 1) {
    std::memcpy(name, key.data(), kName);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    return EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, aes, iv) == 1 ? 1 : -1;
  }
  if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, aes, iv) != 1) return -1;
  // RFC 8446 C.4: a ticket of TLS 1.3 is used once, so that nobody can tell who comes back; under an old key, anew as well.
  const bool old = !(*held)->sealing().starts_with(key.substr(0, kName));
  return old || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
}

}  // namespace

std::shared_ptr<const TicketKeys> TicketKeys::fresh(Random& random) {
  auto keys = std::make_shared<TicketKeys>();
  keys->newest_ = random_key(random);
  return keys;
}

std::shared_ptr<const TicketKeys> TicketKeys::next(Random& random) const {
  auto keys = std::make_shared<TicketKeys>();
  keys->newest_ = random_key(random);
  keys->former_ = newest_.clone();
  return keys;
}

std::string_view TicketKeys::opening(std::string_view name) const noexcept {
  for (const Secret* key : {&newest_, &former_}) {
    if (!key->empty() && key->reveal().substr(0, kName) == name) return key->reveal();
  }
  return {};
}

bool use_ticket_keys(ssl_ctx_st* context) noexcept {
  return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1;
}

bool give_ticket_keys(ssl_st* ssl, std::shared_ptr<const TicketKeys> keys) noexcept {
  auto* const held = new (std::nothrow) Held(std::move(keys));
  if (held == nullptr) return false;
  if (SSL_set_ex_data(ssl, slot(), held) == 1) return true;
  delete held;
  return false;
}

}  // namespace sallyport::net
