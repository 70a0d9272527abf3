// Links that show a secret once: a token of 32 random bytes, kept as its SHA-256, in memory alone (a restart ends them all).
// What it shows is looked up when it is used: a secret that was deleted, destroyed or has expired meanwhile is not shown, and
// neither is anything while the vault is sealed or when its author may read it no more; the token is used up all the same.
// Owned by app; the control executor only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "control/vault.h"
#include "model/snapshot.h"

namespace sallyport::control {

struct OneTimeReveal {
  std::string token;  // shown once
  std::uint32_t version = 0;
  WallTime expires_at{};
};

struct RevealedOnce {
  VaultName where;
  std::string author;  // who made the token
  VaultValue value;
};

// May that principal still read the secret: is it there and enabled, and has it the permission, or is the secret its own? The
// operator at the machine always may. Pure function.
bool may_read_still(const Snapshot& newest, std::string_view principal, const VaultName& where, WallTime now);

class OneTimeReveals {
 public:
  static constexpr std::size_t kMost = 1000;
  static constexpr std::size_t kMostOfOne = 50;
  // As above, by the newest snapshot.
  using MayRead = std::function<bool(std::string_view principal, const VaultName& where)>;
  static constexpr std::chrono::seconds kLongest{7 * 24 * 3600};

  OneTimeReveals(Vault& vault, Random& random, const Clock& clock, MayRead may_read)
      : vault_(vault), random_(random), clock_(clock), may_read_(std::move(may_read)) {}

  // `lifetime`: 1 s to 7 days, else validation. conflict: 1,000 are open already, or 50 of this author. not_found, gone.
  Result<OneTimeReveal> make(const VaultName& where, std::optional<std::uint32_t> version,
                             std::chrono::seconds lifetime, std::string author);
  // not_found: there is none, it was used, its time is over, or its author may not read that secret any more.
  Result<RevealedOnce> take(std::string_view token);

 private:
  struct Open {
    VaultName where;
    std::string secret;  // id: another secret under the same name is another one
    std::uint32_t version = 0;
    std::string author;
    WallTime expires_at{};
  };
  Vault& vault_;
  Random& random_;
  const Clock& clock_;
  MayRead may_read_;
  std::map<std::string, Open, std::less<>> open_;  // by SHA-256 of the token
};

}  // namespace sallyport::control
