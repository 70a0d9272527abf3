#include "control/wrapped_rows.h"

#include <memory>
#include <optional>
#include <utility>

namespace sallyport::control {
namespace {

Result<std::vector<std::uint32_t>> none() { return std::vector<std::uint32_t>(); }  // a pass leaves none behind

}  // namespace

WrappedRows rows_of(Vault& vault, std::uint32_t most) {
  const auto from = std::make_shared<Vault::Position>();  // up to where, in the pass that is under way
  return {[from] { *from = {}; },
          [&vault, from, most]() -> Result<bool> {
            SP_TRY(auto next, vault.rewrap(*from, most));
            if (next) *from = std::move(*next);
            return next.has_value();
          },
          none};
}

WrappedRows rows_of(KeyExchange& exchange) {
  return {[] {},
          [&exchange]() -> Result<bool> {
            SP_CHECK(exchange.rewrap());
            return false;
          },
          none};
}

}  // namespace sallyport::control
