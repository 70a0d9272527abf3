// ${vault:NAME}, ${vault:NAME@VERSION}: the gateway's secrets; ${vault:principal/NAME}: those of whose session it is, a key's
// own first, then its person's, and for a probe, which is nobody's session, the gateway's probe/NAME. Another principal's are
// never found. On the control executor.
#pragma once

#include <functional>

#include "control/secret_source.h"
#include "control/vault.h"

namespace sallyport::control {

class VaultSource final : public SecretSource {
 public:
  // The person behind a principal id: of a key with an owner that one's, else the same.
  using Person = std::function<std::string(const std::string& principal)>;
  VaultSource(Vault& vault, Person person) : vault_(vault), person_(std::move(person)) {}

  Task<Result<Secret>> fetch(std::string name, SecretUse use) override;

 private:
  Result<Secret> own(const std::string& name, std::optional<std::uint32_t> version, const SecretUse& use);
  Vault& vault_;
  Person person_;
};

// Does `text` refer to this secret? `where.owner` may be anybody's: ${vault:principal/NAME} refers to all of that name.
[[nodiscard]] bool refers_to(std::string_view text, const VaultName& where);
[[nodiscard]] bool refers_to_principals(std::string_view text);  // to secrets of callers

}  // namespace sallyport::control
