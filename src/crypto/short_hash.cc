#include "crypto/short_hash.h"

#include <sodium.h>

namespace sallyport::crypto {

static_assert(crypto_shorthash_siphashx24_BYTES == sizeof(ShortHash));
static_assert(crypto_shorthash_siphashx24_KEYBYTES == sizeof(ShortHashKey));

ShortHash short_hash(const ShortHashKey& key, std::string_view data) noexcept {
  ShortHash out{};
  // It returns 0 whatever it is given.
  (void)crypto_shorthash_siphashx24(reinterpret_cast<unsigned char*>(out.data()),
                                    reinterpret_cast<const unsigned char*>(data.data()), data.size(),
                                    reinterpret_cast<const unsigned char*>(key.data()));
  return out;
}

}  // namespace sallyport::crypto
