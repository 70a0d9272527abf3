#include "control/key_exchange.h"

#include <algorithm>
#include <utility>

#include "core/encoding.h"
#include "crypto/envelope.h"
#include "crypto/hash.h"
#include "crypto/sealed_record.h"

namespace sallyport::control {
namespace {

constexpr std::string_view kRefused =
    "the envelope does not open for this secret: seal it to the key that is published now";

crypto::Binding binding_of(std::string_view key) { return {"exchange_keys", key, "private", 1}; }

}  // namespace

KeyExchange::KeyExchange(VaultStore& store, const crypto::KeyStore& keys, Random& random, const Clock& clock,
                         Generate generate, Note note)
    : store_(store),
      keys_(keys),
      random_(random),
      clock_(clock),
      generate_(std::move(generate)),
      note_(std::move(note)) {}

Result<void> KeyExchange::load(ExchangeRules rules) {
  rules_ = rules;
  SP_TRY(known_, store_.load_exchange_keys());
  for (const StoredExchangeKey& key : known_) {
    SP_TRY(taken_[key.id], store_.envelopes_of(key.id));
  }
  return retire_former();
}

// Where the process ended between a new key and the retirement of the former, that one would open for ever.
Result<void> KeyExchange::retire_former() {
  for (StoredExchangeKey& key : known_) {
    if (&key == &known_.front() || key.retired_at) continue;
    key.retired_at = known_.front().created_at;
    SP_CHECK(store_.put_exchange_key(key));
  }
  return {};
}

std::string KeyExchange::subject_of(const VaultName& where) {
  return "vault:" + (where.owner.empty() ? "" : where.owner + "/") + where.name;
}

bool KeyExchange::due() const {
  if (known_.empty() || known_.front().retired_at) return true;
  if (std::ranges::find(damaged_, known_.front().id) != damaged_.end()) return true;
  const StoredExchangeKey& key = known_.front();
  const auto taken = taken_.find(key.id);
  return clock_.wall() >= key.created_at + rules_.rotate_after ||
         (taken != taken_.end() && taken->second >= kEnvelopesMax);
}

ExchangeKey KeyExchange::shown(const StoredExchangeKey& key) const {
  const auto half = crypto::RsaKey::from_public_pem(key.public_pem);
  return {key.id, key.public_pem, half ? half->bits() : 0, key.created_at, key.created_at + rules_.rotate_after};
}

Task<Result<ExchangeKey>> KeyExchange::current() {
  if (due()) co_return co_await replace();
  co_return shown(known_.front());
}

Task<Result<ExchangeKey>> KeyExchange::rotate() { co_return co_await replace(); }

Task<Result<ExchangeKey>> KeyExchange::replace() {
  if (keys_.wrapping_key() == 0) co_return fail(Code::conflict, "the vault is sealed; fix: sallyport vault unseal");
  if (std::exchange(making_, true)) co_return fail(Code::conflict, "a key is being made; try again in a second");
  auto made = co_await generate_(rules_.bits);
  making_ = false;
  if (!made) co_return fail(std::move(made).error());
  SP_CO_CHECK(put_in_force(**made));
  opened_[(*made)->key_id()] = std::move(*made);
  co_return shown(known_.front());
}

Result<void> KeyExchange::put_in_force(const crypto::RsaKey& key) {
  StoredExchangeKey fresh;
  fresh.id = key.key_id();
  fresh.created_at = clock_.wall();
  SP_TRY(fresh.public_pem, key.public_pem());
  SP_TRY(const Secret pem, key.private_pem());
  SP_TRY(auto sealed, crypto::seal_record(keys_, pem.reveal(), binding_of(fresh.id), random_));
  fresh.sealed = {std::move(sealed.wrapped_key), std::move(sealed.ciphertext)};
  SP_CHECK(store_.put_exchange_key(fresh));
  const std::string former = known_.empty() ? std::string() : known_.front().id;
  if (!known_.empty() && !known_.front().retired_at) {
    known_.front().retired_at = fresh.created_at;
    SP_CHECK(store_.put_exchange_key(known_.front()));
  }
  note_(fresh.id, former);
  known_.insert(known_.begin(), std::move(fresh));
  return {};
}

Result<std::shared_ptr<const crypto::RsaKey>> KeyExchange::private_half(const StoredExchangeKey& key) {
  auto& place = opened_[key.id];
  if (!place) {
    SP_TRY(const Secret pem,
           crypto::open_record(keys_, {key.sealed.wrapped_key, key.sealed.ciphertext}, binding_of(key.id)));
    SP_TRY(auto opened, crypto::RsaKey::from_private_pem(pem.reveal()));
    place = std::make_shared<const crypto::RsaKey>(std::move(opened));
  }
  return place;
}

Result<const StoredExchangeKey*> KeyExchange::key_of(std::string_view envelope) {
  if (keys_.wrapping_key() == 0) return fail(Code::conflict, "the vault is sealed; fix: sallyport vault unseal");
  const auto id = crypto::envelope_key_id(envelope);
  const auto key = std::ranges::find_if(known_, [&](const auto& one) { return id && one.id == *id; });
  const bool good = key != known_.end() && (!key->retired_at || clock_.wall() < *key->retired_at + rules_.grace);
  if (!good) return fail(Code::validation, std::string(kRefused));
  if (taken_[key->id] >= kEnvelopesMax)
    return fail(Code::conflict, "this key has taken enough: ask for the one in force now");
  return &*key;
}

Result<KeyExchange::Opening> KeyExchange::admit(const VaultName& where, std::string_view envelope) {
  SP_TRY(const StoredExchangeKey* const key, key_of(envelope));
  SP_TRY(auto half, private_half(*key));
  return Opening{std::move(half), subject_of(where)};
}

Result<Secret> KeyExchange::Opening::open(std::string_view envelope) const {
  SystemRandom random;
  auto plain = crypto::open_envelope(*half, subject, envelope, random);
  if (!plain) return fail(Code::validation, std::string(kRefused));
  return plain;
}

// Before anything is stored of it: what is taken twice is refused, after a crash too.
Result<void> KeyExchange::take(std::string_view envelope) {
  SP_TRY(const StoredExchangeKey* const key, key_of(envelope));
  const auto added = store_.add_envelope(key->id, hex_encode(crypto::sha256(envelope)));
  if (!added && added.error().code == Code::already_exists)
    return fail(Code::conflict, "this envelope was taken already");
  if (!added) return added;
  ++taken_[key->id];
  return {};
}

Result<void> KeyExchange::rewrap() {
  damaged_.clear();
  for (StoredExchangeKey& key : known_) {
    if (key.sealed.wrapped_key.empty() || !keys_.needs_rewrap(key.sealed.wrapped_key)) continue;
    auto wrapped = crypto::rewrap_record(keys_, key.sealed.wrapped_key, binding_of(key.id), random_);
    if (!wrapped && wrapped.error().code != Code::crypto) return fail(std::move(wrapped).error());
    if (!wrapped) {
      damaged_.push_back(key.id);
      continue;
    }
    key.sealed.wrapped_key = std::move(*wrapped);
    SP_CHECK(store_.put_exchange_key(key));
  }
  return {};
}

std::vector<std::uint32_t> KeyExchange::keys_of_damaged() const {
  std::vector<std::uint32_t> all;
  for (const StoredExchangeKey& key : known_) {
    if (std::ranges::find(damaged_, key.id) == damaged_.end()) continue;
    const auto keys = keys_for_damaged(keys_, key.sealed.wrapped_key);
    all.insert(all.end(), keys.begin(), keys.end());
  }
  return all;
}

Result<void> KeyExchange::sweep() {
  for (auto key = known_.begin(); key != known_.end();) {
    if (!key->retired_at || clock_.wall() < *key->retired_at + rules_.grace) {
      ++key;
      continue;
    }
    SP_CHECK(store_.delete_exchange_key(key->id));
    opened_.erase(key->id);
    taken_.erase(key->id);
    key = known_.erase(key);
  }
  return {};
}

}  // namespace sallyport::control
