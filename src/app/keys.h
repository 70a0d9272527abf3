// From settings to keys: which source unseals, and the keys for who only reads a home (doctor, audit verify). Main thread.
#pragma once

#include <functional>
#include <stop_token>
#include <string_view>

#include "config/config.h"
#include "control/secrets/vault_server.h"
#include "core/result.h"
#include "crypto/keyring.h"

namespace sallyport::app {

// What hears, for the log, that a server which unseals is away and is tried again, for as long as the settings say
// (encryption.transit_wait_seconds). Null: it is asked once.
using Waiting = std::function<void(std::string_view why)>;

// encryption.password, encryption.key, encryption.hsm_module, encryption.transit_url, or the key file. References are read here.
// `ending`: a server that is asked then is waited for no more.
Result<crypto::UnsealSource> unseal_source_of(const config::Settings& settings, const config::Environment& environment,
                                              const Waiting& waiting = nullptr, std::stop_token ending = {});

// The server of encryption.transit_url.
Result<control::VaultServerRules> transit_server_of(const config::Settings& settings,
                                                    const config::Environment& environment);

// Changes nothing. Code::not_found where the home has no keys.
Result<crypto::KeyStore> read_keys(const config::Settings& settings, const config::Environment& environment);

}  // namespace sallyport::app
