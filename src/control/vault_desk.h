// The vault as the REST API uses it. References, filled once by app; all of it on the control executor.
#pragma once

#include <functional>

#include "control/key_exchange.h"
#include "control/one_time_reveals.h"
#include "control/vault.h"
#include "core/task.h"

namespace sallyport::control {

struct VaultDesk {
  Vault& vault;
  OneTimeReveals& one_time;
  KeyExchange& exchange;
  // Drops the key material from memory and ends sessions that use what it holds; then durably: a restart finds the vault
  // sealed. An error: it is sealed, but not durably.
  std::function<Result<void>()> seal;
  std::function<Task<Result<void>>()> unseal;  // reads the key material from its source again
};

}  // namespace sallyport::control
