// Links that show a secret once: a token of 32 random bytes, kept as its SHA-256, in memory alone (a restart ends them all).
// What it shows is looked up when it is used: a secret that was deleted, destroyed or has expired meanwhile is not shown, and
// neither is anything while the vault is sealed; the token is used up all the same. Owned by app; the control executor only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "control/vault.h"

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

class OneTimeReveals {
 public:
  static constexpr std::size_t kMost = 1000;
  static constexpr std::chrono::seconds kLongest{7 * 24 * 3600};

  OneTimeReveals(Vault& vault, Random& random, const Clock& clock) : vault_(vault), random_(random), clock_(clock) {}

  // `lifetime`: 1 s to 7 days, else validation. conflict: 1,000 are open already. not_found, gone.
  Result<OneTimeReveal> make(const VaultName& where, std::optional<std::uint32_t> version,
                             std::chrono::seconds lifetime, std::string author);
  // not_found: there is none, it was used, or its time is over.
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
  std::map<std::string, Open, std::less<>> open_;  // by SHA-256 of the token
};

}  // namespace sallyport::control
