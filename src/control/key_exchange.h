// The key exchange (S2-9): the gateway's RSA key pair, to whose public half clients seal a secret (crypto/envelope.h), so that
// it stays closed through proxies that end TLS and through logs. Made when it is first asked for, sealed in the store, replaced
// by age or when it has taken many; the one before it opens for a while longer. An envelope is for one secret of one owner, and
// is taken once. Owned by app; the control executor only. Private halves are in memory while the vault is unsealed.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/vault.h"
#include "core/task.h"
#include "crypto/rsa_key.h"

namespace sallyport::control {

struct ExchangeRules {
  unsigned bits = crypto::kRsaKeyBits;  // 2048, 3072 or 4096
  std::chrono::hours rotate_after{365 * 24};
  std::chrono::hours grace{7 * 24};  // so long the former key opens
};

struct ExchangeKey {
  std::string id;
  std::string public_pem;
  unsigned bits = 0;
  WallTime created_at{};
  WallTime rotates_at{};
};

class KeyExchange {
 public:
  // Of one envelope for one secret; keeps the private half in memory.
  struct Opening {
    std::shared_ptr<const crypto::RsaKey> half;
    std::string subject;
    // validation: it does not open for this secret. Milliseconds; any thread.
    [[nodiscard]] Result<Secret> open(std::string_view envelope) const;
  };
  static constexpr std::size_t kEnvelopesMax = 50'000;  // of one key; then it is due

  // Makes a key pair beside the control thread: some tenths of a second.
  using Generate = std::function<Task<Result<std::shared_ptr<crypto::RsaKey>>>(unsigned bits)>;
  // A new key is in force; for the audit.
  using Note = std::function<void(const std::string& id, const std::string& former)>;

  KeyExchange(VaultStore& store, const crypto::KeyStore& keys, Random& random, const Clock& clock, Generate generate,
              Note note);
  Result<void> load(ExchangeRules rules);

  // Made or replaced first where it is due. conflict: the vault is sealed.
  Task<Result<ExchangeKey>> current();
  Task<Result<ExchangeKey>> rotate();
  // In three steps, for the second takes long, whatever the envelope is worth: may it be opened; what it holds; it is used up.
  // The last goes with what is stored of it, on the control executor and without a wait between them.
  // validation: its key is gone; conflict: its key has taken enough, or the vault is sealed.
  Result<Opening> admit(const VaultName& where, std::string_view envelope);
  // Errors of admit(); conflict: it was taken before.
  Result<void> take(std::string_view envelope);
  void forget() { opened_.clear(); }  // private halves in memory
  // Every private half under the key-encryption key in force. One that does not open stays as it is, and another key is due.
  Result<void> rewrap();
  [[nodiscard]] const std::vector<std::string>& damaged() const noexcept { return damaged_; }  // ids, after rewrap()
  [[nodiscard]] std::vector<std::uint32_t> keys_of_damaged() const;  // that they may need
  Result<void> sweep();  // keys whose grace is over, with what they took

  // "vault:NAME", "vault:OWNER/NAME" (no name has a colon).
  static std::string subject_of(const VaultName& where);

 private:
  [[nodiscard]] bool due() const;
  [[nodiscard]] ExchangeKey shown(const StoredExchangeKey& key) const;
  Task<Result<ExchangeKey>> replace();
  Result<void> retire_former();
  Result<void> put_in_force(const crypto::RsaKey& key);
  Result<std::shared_ptr<const crypto::RsaKey>> private_half(const StoredExchangeKey& key);
  Result<const StoredExchangeKey*> key_of(std::string_view envelope);

  VaultStore& store_;
  const crypto::KeyStore& keys_;
  Random& random_;
  const Clock& clock_;
  Generate generate_;
  Note note_;
  ExchangeRules rules_;
  std::vector<StoredExchangeKey> known_;  // newest first
  std::map<std::string, std::shared_ptr<const crypto::RsaKey>> opened_;
  std::map<std::string, std::size_t> taken_;
  std::vector<std::string> damaged_;
  bool making_ = false;
};

}  // namespace sallyport::control
