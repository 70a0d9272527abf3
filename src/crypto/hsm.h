// A key on a PKCS#11 token (OASIS PKCS #11 2.40; S2-14): AES-256, made on the token or brought there, which never leaves
// it. It seals 32 bytes by CKM_AES_GCM, and from these the unseal key comes, so that without the token and its PIN the
// keyring does not open. The module is a library that this process loads; it is named by the configuration alone. A
// session for each call; blocking; not for two threads at once.
#pragma once

#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "core/secret.h"
#include "crypto/unseal.h"

namespace sallyport::crypto {

inline constexpr std::size_t kHsmPlainBytesMax = 64;

// nonce(12) ciphertext tag(16), as crypto/aead.h has it. Code::config, with the fix, for a module, token, key or PIN that
// is not there or refused; nothing tries a PIN twice, since tokens lock themselves.
Result<std::string> hsm_seal(const HsmKey& names, const Secret& pin, std::string_view plain,
                             std::string_view additional, Random& random);
// Code::crypto where the token refuses what was sealed.
Result<Secret> hsm_open(const HsmKey& names, const Secret& pin, std::string_view sealed, std::string_view additional);

}  // namespace sallyport::crypto
