// A store of the vault in memory, and a key store made of a name. Tests only.
#pragma once

#include <algorithm>
#include <map>
#include <set>

#include "control/vault.h"
#include "core/encoding.h"
#include "crypto/hash.h"

namespace sallyport::control::testing {

inline crypto::KeyStore key_store_of(std::string_view name) {
  return crypto::KeyStore::from_master(Secret(std::string(as_text(crypto::sha256(name))))).value();
}

class MemoryVault final : public VaultStore {
 public:
  Result<std::vector<VaultSecret>> load_vault() override {
    std::vector<VaultSecret> out;
    for (const auto& [id, secret] : secrets) out.push_back(secret);
    return out;
  }
  Result<void> put_secret(const VaultSecret& secret, const std::optional<VaultVersionRow>& fresh) override {
    if (fails) return fail(Code::storage, "on purpose");
    secrets[secret.id] = secret;
    if (fresh) rows[{fresh->secret, fresh->number}] = fresh->sealed;
    return {};
  }
  Result<VaultSealed> sealed_version(std::string_view secret, std::uint32_t number) override {
    const auto found = rows.find({std::string(secret), number});
    if (found == rows.end()) return fail(Code::not_found, "no row");
    return found->second;
  }
  Result<void> destroy_version(std::string_view secret, std::uint32_t number, bool forget) override {
    if (erases_nothing) return fail(Code::storage, "on purpose");
    rows.erase({std::string(secret), number});
    auto& versions = secrets[std::string(secret)].versions;
    for (auto& version : versions) version.destroyed = version.destroyed || version.number == number;
    if (forget) std::erase_if(versions, [&](const auto& version) { return version.number == number; });
    return {};
  }
  Result<void> delete_secret(std::string_view id) override {
    std::erase_if(rows, [&](const auto& row) { return row.first.first == id; });
    secrets.erase(std::string(id));
    return {};
  }
  Result<bool> empty_log() override { return !log_read; }
  Result<void> touch_secrets(std::span<const VaultUse> uses) override {
    touched.insert(touched.end(), uses.begin(), uses.end());
    return {};
  }
  Result<std::vector<VaultVersionRow>> sealed_rows(std::string_view after, std::uint32_t number,
                                                   std::uint32_t most) override {
    std::vector<VaultVersionRow> out;
    for (auto row = rows.upper_bound({std::string(after), number}); row != rows.end() && out.size() < most; ++row) {
      out.push_back({row->first.first, row->first.second, row->second});
    }
    return out;
  }
  Result<void> put_wrapped(std::span<const VaultVersionRow> wrapped) override {
    for (const auto& row : wrapped) rows[{row.secret, row.number}].wrapped_key = row.sealed.wrapped_key;
    return {};
  }
  Result<std::vector<StoredExchangeKey>> load_exchange_keys() override {
    return std::vector<StoredExchangeKey>{keys.rbegin(), keys.rend()};
  }
  Result<void> put_exchange_key(const StoredExchangeKey& key) override {
    const auto found = std::ranges::find(keys, key.id, &StoredExchangeKey::id);
    if (found != keys.end()) *found = key;
    else keys.push_back(key);
    return {};
  }
  Result<void> delete_exchange_key(std::string_view id) override {
    std::erase_if(keys, [&](const auto& key) { return key.id == id; });
    return {};
  }
  Result<void> add_envelope(std::string_view key, std::string_view digest) override {
    if (envelopes.emplace(key, digest).second) return {};
    return fail(Code::already_exists, "on purpose");
  }
  Result<std::size_t> envelopes_of(std::string_view key) override {
    return static_cast<std::size_t>(
        std::ranges::count(envelopes, std::string(key), [](const auto& one) { return one.first; }));
  }

  std::map<std::string, VaultSecret> secrets;
  std::map<std::pair<std::string, std::uint32_t>, VaultSealed> rows;
  std::vector<StoredExchangeKey> keys;  // oldest first
  std::set<std::pair<std::string, std::string>> envelopes;
  std::vector<VaultUse> touched;
  bool fails = false, erases_nothing = false;
  bool log_read = false;  // by somebody else
};

}  // namespace sallyport::control::testing
