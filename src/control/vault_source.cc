#include "control/vault_source.h"

#include <charconv>

namespace sallyport::control {
namespace {

constexpr std::string_view kBegin = "${vault:";
constexpr std::string_view kOfPrincipal = "principal/";
constexpr std::string_view kProbe = "probe/";  // of the gateway: what a probe uses in place of a caller's

struct Named {
  std::string name;
  std::optional<std::uint32_t> version;
};

// "NAME", "NAME@3"
Result<Named> read_name(std::string_view text) {
  const auto at = text.find('@');
  Named out{std::string(text.substr(0, at)), std::nullopt};
  if (at == std::string_view::npos) return out;
  const std::string_view digits = text.substr(at + 1);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number == 0) {
    return fail(Code::config, "behind @ stands the number of a version");
  }
  out.version = number;
  return out;
}

}  // namespace

Result<Secret> VaultSource::own(const std::string& name, std::optional<std::uint32_t> version, const SecretUse& use) {
  const bool probe = use.principal.empty();  // shared servers and endpoints may not refer to callers' secrets
  auto value = vault_.use({use.principal, probe ? std::string(kProbe) + name : name}, version);
  // A caller who has a secret of that name has no other: not its person's in place of a version that is missing.
  if (!value && !probe && !vault_.find({use.principal, name})) {
    value = vault_.use({person_(use.principal), name}, version);
  }
  if (!value) return fail(value.error());
  return std::move(value->value);
}

Task<Result<Secret>> VaultSource::fetch(std::string name, SecretUse use) {
  SP_CO_TRY(Named wanted, read_name(name));
  if (wanted.name.starts_with(kOfPrincipal)) {
    co_return own(wanted.name.substr(kOfPrincipal.size()), wanted.version, use);
  }
  auto value = vault_.use({"", wanted.name}, wanted.version);
  if (!value) co_return fail(value.error());
  co_return std::move(value->value);
}

bool refers_to(std::string_view text, const VaultName& where) {
  const std::string wanted = (where.owner.empty() ? "" : std::string(kOfPrincipal)) + where.name;
  for (auto at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at + 1)) {
    const std::string_view inner = text.substr(at + kBegin.size());
    const std::string_view name = inner.substr(0, inner.find_first_of("@}"));
    if (name == wanted) return true;
  }
  return false;
}

bool refers_to_principals(std::string_view text) {
  return text.find(std::string(kBegin).append(kOfPrincipal)) != std::string_view::npos;
}

}  // namespace sallyport::control
