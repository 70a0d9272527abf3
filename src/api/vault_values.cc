// Where a value leaves the vault for a caller, and its seal. Each answer that holds one says no-store, and its record in the
// audit says whose, which and which version, never what.
#include "api/vault.h"

#include "core/encoding.h"

namespace sallyport::api {
namespace {

using control::VaultDesk;
using control::VaultName;
using control::VaultValue;

// What a JSON string carries unchanged; the rest is shown as base64url.
bool is_text(std::string_view value) {
  json::Writer w;
  w.object().member("value", value).end_object();
  const auto back = json::read(w.text());
  return back && back->root().string_at("value") == value;
}

RestAnswer revealed(const VaultName& where, const VaultValue& value) {
  json::Writer w;
  w.object().member("name", where.name).member("owner", where.owner).member("version", std::uint64_t{value.version});
  if (is_text(value.value.reveal())) w.member("value", value.value.reveal());
  else w.member("value_base64url", base64url_encode(as_bytes(value.value.reveal())));
  w.end_object();
  RestAnswer answer = ok(w);
  answer.headers.emplace_back("Cache-Control", "no-store");
  answer.action = "reveal_secret";
  answer.reason = vault_text(where, value.version);
  return answer;
}

std::optional<std::uint32_t> version_of(std::int64_t number) {
  if (number <= 0) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

// Not a fault of the vault: it is said what has to be done.
RestAnswer refused(const Call& call, const Error& error) {
  return refuse(call, error, error.code == Code::gone ? std::string_view(error.detail) : std::string_view());
}

Task<Result<void>> turn_desk(VaultDesk& desk, bool seal) {
  if (seal) co_return desk.seal();
  co_return co_await desk.unseal();
}

Task<RestAnswer> turn(Call& call, bool seal) {
  const auto done = co_await run_for_caller<void>(call, turn_desk(*call.api.deps().vault, seal));
  // What has to be set right is said: who may unseal the vault may know what opens it.
  if (!done && (done.error().code == Code::config || done.error().code == Code::conflict)) {
    co_return refuse(call, {Code::conflict, done.error().detail}, done.error().detail);
  }
  if (!done && seal && done.error().code == Code::storage) {
    RestAnswer answer = refuse(call, done.error(), done.error().detail);
    answer.action = "seal_vault";
    co_return answer;
  }
  if (!done) co_return refuse(call, done.error());
  RestAnswer answer = co_await vault_status(call);
  answer.action = seal ? "seal_vault" : "unseal_vault";
  co_return answer;
}

}  // namespace

Task<RestAnswer> reveal_secret(Call& call) {
  const auto owner = vault_owner(call, VaultWant::value);
  if (!owner) co_return refuse(call, owner.error());
  const auto number = number_field(call.root(), "version", 0);
  if (!number) co_return refuse(call, number.error());
  const VaultName where{*owner, call.parts[0]};
  const auto value = co_await ask_vault<VaultValue>(
      call, [where, version = version_of(*number)](VaultDesk& desk) { return desk.vault.reveal(where, version); });
  co_return value ? revealed(where, *value) : refused(call, value.error());
}

Task<RestAnswer> offer_secret(Call& call) {
  const auto owner = vault_owner(call, VaultWant::value);
  if (!owner) co_return refuse(call, owner.error());
  const auto number = number_field(call.root(), "version", 0);
  if (!number) co_return refuse(call, number.error());
  const auto seconds = number_field(call.root(), "expires_in", 3600);
  if (!seconds) co_return refuse(call, seconds.error());
  const VaultName where{*owner, call.parts[0]};
  const auto made = co_await ask_vault<control::OneTimeReveal>(
      call,
      [where, version = version_of(*number), lifetime = std::chrono::seconds(*seconds),
       author = call.principal().id](VaultDesk& desk) { return desk.one_time.make(where, version, lifetime, author); });
  if (!made) co_return refused(call, made.error());
  json::Writer w;
  w.object().member("token", made->token).member("name", where.name).member("version", std::uint64_t{made->version});
  w.member("expires_at", iso_time(made->expires_at)).end_object();
  RestAnswer answer = ok(w, 201);
  answer.headers.emplace_back("Cache-Control", "no-store");
  answer.action = "offer_secret";
  answer.reason = vault_text(where, made->version);
  co_return answer;
}

Task<RestAnswer> take_secret(Call& call) {
  auto token = text_field(call.root(), "token");
  if (!token) co_return refuse(call, token.error());
  const auto once = co_await ask_vault<control::RevealedOnce>(
      call, [token = *token](VaultDesk& desk) { return desk.one_time.take(token); });
  if (!once) co_return refused(call, once.error());
  RestAnswer answer = revealed(once->where, once->value);
  answer.reason += " offered_by=" + once->author;
  co_return answer;
}

Task<RestAnswer> vault_status(Call& call) {
  struct Status {
    bool sealed;
    std::size_t secrets, damaged;
  };
  const auto status = co_await ask_vault<Status>(call, [](VaultDesk& desk) {
    return Result<Status>(Status{desk.vault.sealed(), desk.vault.size(), desk.vault.damaged().size()});
  });
  if (!status) co_return refuse(call, status.error());
  json::Writer w;
  w.object().member("sealed", status->sealed).member("secrets", std::uint64_t{status->secrets});
  w.member("damaged", std::uint64_t{status->damaged}).end_object();
  co_return ok(w);
}

Task<RestAnswer> seal_vault(Call& call) { return turn(call, true); }
Task<RestAnswer> unseal_vault(Call& call) { return turn(call, false); }

Task<RestAnswer> exchange_key(Call& call) {
  ApiDeps& deps = call.api.deps();
  const auto key = co_await run_on<control::ExchangeKey>(deps.control.executor(), deps.vault->exchange.current());
  if (!key) co_return refuse(call, key.error());
  json::Writer w;
  w.object().member("kid", key->id).member("alg", "RSA-OAEP-256").member("enc", "A256GCM");
  w.member("bits", std::uint64_t{key->bits}).member("public_key", key->public_pem);
  w.member("created_at", iso_time(key->created_at)).member("rotates_at", iso_time(key->rotates_at)).end_object();
  co_return ok(w);
}

Task<RestAnswer> rotate_exchange_key(Call& call) {
  ApiDeps& deps = call.api.deps();
  const auto key = co_await run_for_caller<control::ExchangeKey>(call, deps.vault->exchange.rotate());
  if (!key) co_return refuse(call, key.error());
  json::Writer w;
  w.object().member("kid", key->id).end_object();
  RestAnswer answer = ok(w);
  answer.action = "rotate_exchange_key";
  answer.reason = "exchange_key=" + key->id;
  co_return answer;
}

}  // namespace sallyport::api
