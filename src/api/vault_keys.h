// The handlers of the keyring (vault_keys.cc); routes.cc names each once. Internal to api.
#pragma once

#include "api/route.h"

namespace sallyport::api {

Task<RestAnswer> show_keyring(Call& call);
Task<RestAnswer> rotate_wrapping_key(Call& call);
Task<RestAnswer> rotate_hash_key(Call& call);
Task<RestAnswer> reseal_keyring(Call& call);

}  // namespace sallyport::api
