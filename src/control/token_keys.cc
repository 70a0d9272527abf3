#include "control/token_keys.h"

#include <algorithm>
#include <utility>

#include "core/encoding.h"
#include "crypto/aead.h"

namespace sallyport::control {
namespace {

using std::chrono::seconds;

constexpr std::size_t kIdBytes = 16;
// A token may still be signed by the former key while the workers take the new one.
constexpr seconds kOverlapMargin{60};

// What the seal is bound to: a row cannot take another's place, nor its algorithm.
std::string seal_context(const StoredTokenKey& row) { return "token-key " + row.id + " " + row.algorithm; }

WallTime verifies_until(const StoredTokenKey& row) {
  if (!row.retired_at) return WallTime::max();
  return row.revoked ? *row.retired_at : *row.retired_at + row.token_lifetime + kOverlapMargin;
}

// A revoked key is remembered as long as a token under it could live: what its tokens began is ended by its id.
WallTime forgotten_at(const StoredTokenKey& row) {
  return row.retired_at ? *row.retired_at + row.token_lifetime + kOverlapMargin : WallTime::max();
}

// A clock that was ahead and is right again: what it filed under a time to come counts from now, or a key would sign, or
// verify, for longer than it may.
bool pull_back(TokenKeySet& set, WallTime now) {
  bool changed = false;
  for (TokenKey& key : set) {
    StoredTokenKey& row = key.stored;
    changed = changed || row.created_at > now || row.retired_at.value_or(now) > now;
    row.created_at = std::min(row.created_at, now);
    if (row.retired_at) row.retired_at = std::min(*row.retired_at, now);
  }
  return changed;
}

bool has_signer(const TokenKeySet& set) { return !set.empty() && !set.front().stored.retired_at; }

Result<crypto::JwsKey> read_key(const StoredTokenKey& row, std::string_view plain) {
  const auto algorithm = crypto::jws_algorithm(row.algorithm);
  if (!algorithm) return fail(Code::crypto, "a token key of an unknown algorithm");
  if (*algorithm == crypto::JwsAlgorithm::hs256) return crypto::JwsKey::from_secret(as_bytes(plain));
  return row.retired_at ? crypto::JwsKey::from_public(*algorithm, plain)
                        : crypto::JwsKey::from_private(*algorithm, plain);
}

// The key without its private half; a symmetric one stays what it is.
Result<std::shared_ptr<const crypto::JwsKey>> verifier_of(const std::shared_ptr<const crypto::JwsKey>& key) {
  if (key->public_jwk().empty()) return key;
  SP_TRY(const std::string der, key->public_bytes());
  SP_TRY(auto half, crypto::JwsKey::from_public(key->algorithm(), der));
  return std::make_shared<const crypto::JwsKey>(std::move(half));
}

}  // namespace

std::vector<StoredTokenKey> rows_of(const TokenKeySet& set) {
  std::vector<StoredTokenKey> rows;
  rows.reserve(set.size());
  for (const TokenKey& key : set) rows.push_back(key.stored);
  return rows;
}

TokenKeys::TokenKeys(const crypto::KeyStore& keys, Random& random, TokenKeyRules rules)
    : keys_(keys), random_(random), rules_(rules) {}

Result<TokenKeySet> TokenKeys::open(std::vector<StoredTokenKey> rows) const {
  TokenKeySet set;
  for (StoredTokenKey& row : rows) {
    const auto bytes = base64url_decode(row.sealed);
    auto plain = crypto::open(keys_.key(crypto::Purpose::token_keys), bytes ? as_text(*bytes) : std::string_view(),
                              seal_context(row));
    auto key = plain ? read_key(row, *plain) : Result<crypto::JwsKey>(fail(Code::crypto, "it does not open"));
    if (plain) wipe(*plain);
    if (!key) {
      return fail(Code::crypto, "the token signing key '" + row.id +
                                    "' in the database is not ours: " + key.error().detail +
                                    "; fix: restore database and keys/master.key from one backup, or delete the row "
                                    "from token_keys: everybody logs in anew");
    }
    set.push_back({std::move(row), std::make_shared<const crypto::JwsKey>(std::move(*key))});
  }
  // Signer first: of keys made in the same microsecond the store does not know the order.
  const auto signer = std::ranges::find_if(set, [](const TokenKey& key) { return !key.stored.retired_at; });
  if (signer != set.end()) std::rotate(set.begin(), signer, signer + 1);
  return set;
}

Result<std::string> TokenKeys::sealed(const TokenKey& key) const {
  const bool whole = !key.stored.retired_at || key.key->public_jwk().empty();
  Secret plain;
  if (whole) {
    SP_TRY(plain, key.key->private_bytes());
  } else {
    SP_TRY(std::string half, key.key->public_bytes());
    plain = Secret(std::move(half));
  }
  SP_TRY(const std::string bytes,
         crypto::seal(keys_.key(crypto::Purpose::token_keys), plain.reveal(), seal_context(key.stored), random_));
  return base64url_encode(as_bytes(bytes));
}

Result<TokenKey> TokenKeys::make(WallTime now) const {
  SP_TRY(auto made, crypto::JwsKey::generate(rules_.algorithm, random_));
  TokenKey out;
  out.stored.id = made.thumbprint().empty() ? random_id(random_, kIdBytes) : made.thumbprint();
  out.stored.algorithm = crypto::name_of(rules_.algorithm);
  out.stored.created_at = now;
  out.stored.token_lifetime = rules_.token_lifetime;
  out.key = std::make_shared<const crypto::JwsKey>(std::move(made));
  SP_TRY(out.stored.sealed, sealed(out));
  return out;
}

Result<TokenKeySet> TokenKeys::without_signer(const TokenKeySet& set, WallTime now, bool revoke) const {
  TokenKeySet out;
  for (TokenKey key : set) {
    if (!key.stored.retired_at) {
      key.stored.retired_at = now;
      SP_TRY(key.stored.sealed, sealed(key));  // the private half is gone from here on
      SP_TRY(key.key, verifier_of(key.key));
    }
    key.stored.revoked = key.stored.revoked || revoke;
    if (forgotten_at(key.stored) > now) out.push_back(std::move(key));
  }
  return out;
}

bool TokenKeys::signer_is_due(const TokenKeySet& set, WallTime now) const {
  if (!has_signer(set)) return true;
  const StoredTokenKey& signer = set.front().stored;
  return signer.algorithm != crypto::name_of(rules_.algorithm) || now >= signer.created_at + rules_.rotate_after;
}

Result<std::optional<TokenKeySet>> TokenKeys::maintained(const TokenKeySet& set, WallTime now) const {
  TokenKeySet next = set;
  bool changed = pull_back(next, now);
  if (rules_.operator_secret && has_signer(next)) {
    SP_TRY(next, without_signer(next, now, false));
    return std::optional(std::move(next));
  }
  if (!rules_.operator_secret && signer_is_due(next, now)) {
    SP_TRY(next, rotated(next, now, false));
    return std::optional(std::move(next));
  }
  changed = std::erase_if(next, [&](const TokenKey& key) { return forgotten_at(key.stored) <= now; }) > 0 || changed;
  // A restart with longer tokens: the overlap must cover them too.
  if (has_signer(next) && next.front().stored.token_lifetime < rules_.token_lifetime) {
    next.front().stored.token_lifetime = rules_.token_lifetime;
    changed = true;
  }
  if (!changed) return std::optional<TokenKeySet>();
  return std::optional(std::move(next));
}

Result<TokenKeySet> TokenKeys::rotated(const TokenKeySet& set, WallTime now, bool revoke) const {
  if (rules_.operator_secret) {
    return fail(Code::conflict,
                "tokens are signed by auth.secret_key (SECRET_KEY), which is yours to change: give it a new value and "
                "restart, or remove it, and the gateway makes and rotates keys of its own");
  }
  SP_TRY(TokenKeySet next, without_signer(set, now, revoke));
  SP_TRY(TokenKey made, make(now));
  next.insert(next.begin(), std::move(made));
  return next;
}

Result<std::shared_ptr<const token::KeyRing>> TokenKeys::ring(const TokenKeySet& set) const {
  std::vector<token::RingKey> ring;
  if (rules_.operator_secret) {
    SP_TRY(auto secret, crypto::JwsKey::from_secret(keys_.key(crypto::Purpose::token_signing)));
    ring.push_back({.id = "", .key = std::make_shared<const crypto::JwsKey>(std::move(secret))});
  }
  for (const TokenKey& key : set) {
    const StoredTokenKey& row = key.stored;
    token::RingKey out{
        .id = row.id, .key = key.key, .created_at = row.created_at, .verifies_until = verifies_until(row)};
    out.retired_at = row.retired_at.value_or(WallTime::max());
    if (!row.retired_at) out.rotates_at = row.created_at + rules_.rotate_after;
    out.revoked = row.revoked;
    ring.push_back(std::move(out));
  }
  return std::make_shared<const token::KeyRing>(std::move(ring));
}

}  // namespace sallyport::control
