// From settings to keys: which source unseals, and the keys for who only reads a home (doctor, audit verify). Main thread.
#pragma once

#include "config/config.h"
#include "core/result.h"
#include "crypto/keyring.h"

namespace sallyport::app {

// encryption.password, encryption.key, encryption.hsm_module, or the key file. References are read here.
Result<crypto::UnsealSource> unseal_source_of(const config::Settings& settings, const config::Environment& environment);

// Changes nothing. Code::not_found where the home has no keys.
Result<crypto::KeyStore> read_keys(const config::Settings& settings, const config::Environment& environment);

}  // namespace sallyport::app
