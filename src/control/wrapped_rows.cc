#include "control/wrapped_rows.h"

#include <memory>
#include <string>
#include <utility>

namespace sallyport::control {
namespace {

void add_keys(std::vector<std::uint32_t>& to, const std::vector<VaultDamage>& damaged) {
  for (const VaultDamage& one : damaged) to.insert(to.end(), one.keys.begin(), one.keys.end());
}

std::string text_of(const VaultDamage& one) {
  return "secret " + one.name + (one.owner.empty() ? "" : " of " + one.owner) + ", version " +
         std::to_string(one.version) + ": " + one.why;
}

}  // namespace

WrappedRows rows_of(Vault& vault, std::uint32_t most) {
  const auto from = std::make_shared<Vault::Position>();  // up to where, in the pass that is under way
  return {[from] { *from = {}; },
          [&vault, from, most]() -> Result<bool> {
            SP_TRY(auto next, vault.rewrap(*from, most));
            if (next) *from = std::move(*next);
            return next.has_value();
          },
          [&vault]() -> Result<std::vector<std::uint32_t>> {  // a pass leaves none behind but for what is damaged
            std::vector<std::uint32_t> keys;
            add_keys(keys, vault.damaged());
            return keys;
          },
          [&vault] {
            std::vector<std::string> texts;
            for (const VaultDamage& one : vault.damaged()) texts.push_back(text_of(one));
            return texts;
          }};
}

WrappedRows rows_of(KeyExchange& exchange) {
  return {[] {},
          [&exchange]() -> Result<bool> {
            SP_CHECK(exchange.rewrap());
            return false;
          },
          [&exchange]() -> Result<std::vector<std::uint32_t>> { return exchange.keys_of_damaged(); },
          [&exchange] {
            std::vector<std::string> texts;
            for (const std::string& id : exchange.damaged()) texts.push_back("key " + id + " of the key exchange");
            return texts;
          }};
}

}  // namespace sallyport::control
