// The rows that store data keys under a key-encryption key, as the key desk wraps them anew (key_desk.h). What they are of
// outlives them; the control executor only.
#pragma once

#include <cstdint>

#include "control/key_desk.h"
#include "control/key_exchange.h"
#include "control/vault.h"

namespace sallyport::control {

// `most` rows in a transaction.
WrappedRows rows_of(Vault& vault, std::uint32_t most);
WrappedRows rows_of(KeyExchange& exchange);

}  // namespace sallyport::control
