// The handlers of the vault (vault.cc, vault_values.cc); routes.cc names each once. Internal to api.
#pragma once

#include "api/route.h"
#include "api/standing.h"
#include "control/vault_desk.h"

namespace sallyport::api {

Task<RestAnswer> list_secrets(Call& call);
Task<RestAnswer> show_secret(Call& call);
Task<RestAnswer> put_secret(Call& call);
Task<RestAnswer> remove_secret(Call& call);
Task<RestAnswer> roll_back_secret(Call& call);
Task<RestAnswer> destroy_secret_version(Call& call);

Task<RestAnswer> reveal_secret(Call& call);
Task<RestAnswer> offer_secret(Call& call);
Task<RestAnswer> take_secret(Call& call);
Task<RestAnswer> vault_status(Call& call);
Task<RestAnswer> seal_vault(Call& call);
Task<RestAnswer> unseal_vault(Call& call);
Task<RestAnswer> exchange_key(Call& call);
Task<RestAnswer> rotate_exchange_key(Call& call);

// Whose secret a call is about: the gateway's (empty), the caller's own (?owner=me; people alone), or another principal's
// (?owner=user:NAME, key:ID; never their value). The route's permission was asked for, but for one's own.
enum class VaultWant : std::uint8_t { said, value };
Result<std::string> vault_owner(const Call& call, VaultWant want);
std::string vault_text(const control::VaultName& where, std::uint64_t version = 0);  // for the audit

// `body` on the control executor, for a caller who still stands there.
template <class T, class F>
Task<Result<T>> ask_vault(Call& call, F body) {
  return run_for_caller<T>(call, [](control::VaultDesk& desk, F work) -> Task<Result<T>> {
    co_return work(desk);
  }(*call.api.deps().vault, std::move(body)));
}

}  // namespace sallyport::api
