// The key hierarchy by number, age and state, never by its bytes; and its changes (docs/vault.md).
#include "api/vault_keys.h"

#include <ranges>

#include "api/people.h"
#include "api/standing.h"

namespace sallyport::api {
namespace {

using control::KeyDesk;

struct KeyringStatus : control::KeyringStatus {
  std::vector<control::HashKeyStatus> hash_keys;
  WallTime hash_key_rotates_at{};
};

// What API keys are hashed under, newest first: there while the vault is sealed, too.
void write_hash_keys(json::Writer& w, const KeyringStatus& status) {
  w.key("hash_keys").object().member("rotates_at", iso_time(status.hash_key_rotates_at)).key("keys").array();
  for (const control::HashKeyStatus& key : std::views::reverse(status.hash_keys)) {
    const bool newest = &key == &status.hash_keys.back();
    w.object().member("id", std::uint64_t{key.number}).member("status", newest ? "active" : "retired");
    w.member("created_at", iso_time(key.made_at)).member("api_keys", std::uint64_t{key.keys}).end_object();
  }
  w.end_array().end_object();
}

// `notice`: what an order left undone.
RestAnswer answer_of(const KeyringStatus& status, std::string_view notice = {}) {
  json::Writer w;
  w.object().member("sealed", status.sealed).member("source", crypto::unseal_name(status.opened_by));
  w.member("generation", status.generation);
  write_time(w, "rotates_at", status.rotates_at);
  w.key("keys").array();
  for (const crypto::WrappingKey& key : std::views::reverse(status.keys)) {
    w.object().member("id", std::uint64_t{key.id}).member("status", key.retired_at ? "retired" : "active");
    w.member("created_at", iso_time(key.made_at));
    write_time(w, "retired_at", key.retired_at);
    w.end_object();
  }
  w.end_array();
  write_texts(w, "damaged", status.damaged);
  write_hash_keys(w, status);
  if (!notice.empty()) w.member("notice", notice);
  w.end_object();
  return ok(w);
}

KeyringStatus status_now(const ApiDeps& deps) {
  const control::HashKeyDesk& hash_keys = deps.control.hash_keys();
  return {deps.key_desk->status(), hash_keys.status(), hash_keys.rotates_at()};
}

Task<Result<KeyringStatus>> status_of(const ApiDeps& deps) { co_return status_now(deps); }

struct Resealed {
  KeyringStatus status;
  std::string left;  // why the old key file is still there
};

Task<Result<Resealed>> reseal(const ApiDeps& deps, crypto::UnsealSource source, bool from_settings) {
  KeyDesk& desk = *deps.key_desk;
  if (from_settings) {
    const crypto::UnsealKind wanted = source.kind;
    SP_CO_TRY(source, desk.source_of_settings());
    if (source.kind != wanted) {
      const bool hsm = wanted == crypto::UnsealKind::hsm;
      co_return fail(Code::validation, "source: " + std::string(crypto::unseal_name(wanted)) + " needs encryption." +
                                           (hsm ? "hsm_module" : "transit_url") +
                                           " and what goes with it in the settings");
    }
  }
  SP_CO_TRY(std::string left, co_await desk.reseal(std::move(source)));
  co_return Resealed{status_now(deps), std::move(left)};
}

}  // namespace

Task<RestAnswer> show_keyring(Call& call) {
  const auto status = co_await run_for_caller<KeyringStatus>(call, status_of(call.api.deps()));
  co_return status ? answer_of(*status) : refuse(call, status.error());
}

Task<RestAnswer> rotate_wrapping_key(Call& call) {
  const auto id = co_await run_for_caller<std::uint32_t>(call, call.api.deps().key_desk->rotate());
  if (!id) co_return refuse(call, id.error());
  json::Writer w;
  w.object().member("id", std::uint64_t{*id}).member("status", "active").end_object();
  RestAnswer answer = ok(w);
  answer.reason = "wrapping-key:" + std::to_string(*id);
  const auto status = co_await run_for_caller<KeyringStatus>(call, status_of(call.api.deps()));
  if (status && !status->damaged.empty()) {
    answer.reason += "; " + std::to_string(status->damaged.size()) + " damaged: " + status->damaged.front();
  }
  co_return answer;
}

Task<RestAnswer> rotate_hash_key(Call& call) {
  const auto id = co_await run_for_caller<std::uint32_t>(call, call.api.deps().control.hash_keys().rotate());
  if (!id && id.error().code == Code::limit) co_return refuse(call, id.error(), id.error().detail);
  if (!id) co_return refuse(call, id.error());
  json::Writer w;
  w.object().member("id", std::uint64_t{*id}).member("status", "active").end_object();
  RestAnswer answer = ok(w);
  answer.reason = "hash-key:" + std::to_string(*id);
  co_return answer;
}

// What is wrong with the new secret is said: its owner has to mend it, and nobody else can read the answer.
Task<RestAnswer> reseal_keyring(Call& call) {
  auto name = text_field(call.root(), "source");
  auto text = text_field(call.root(), "secret");
  if (!name || !text) co_return refuse(call, name ? text.error() : name.error());
  crypto::UnsealSource source;
  source.kind = crypto::unseal_kind(*name).value_or(source.kind);
  source.secret = Secret(std::move(*text));
  const bool from_settings = source.kind == crypto::UnsealKind::hsm || source.kind == crypto::UnsealKind::transit;
  const auto done = co_await run_for_caller<Resealed>(call, reseal(call.api.deps(), std::move(source), from_settings));
  if (!done) {
    const bool mendable = done.error().code == Code::config || done.error().code == Code::validation;
    if (!mendable) co_return refuse(call, done.error());
    co_return refuse(call, {Code::validation, done.error().detail}, done.error().detail);
  }
  RestAnswer answer = answer_of(done->status, done->left);
  answer.reason = "keyring:opened by " + *name + (done->left.empty() ? "" : "; " + done->left);
  co_return answer;
}

}  // namespace sallyport::api
