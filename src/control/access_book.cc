#include "control/access_book.h"

#include <charconv>

namespace sallyport::control {

void AccessBook::add(const std::vector<AccessUse>& uses) {
  for (const AccessUse& use : uses) pending_.add(use.principal, use.server, use.tool, use.last, use.count);
}

Result<void> AccessBook::write() {
  if (pending_.empty()) return {};
  const std::vector<AccessUse> uses = pending_.take();
  auto written = repository_.add_access_uses(uses);
  if (!written) add(uses);
  return written;
}

Task<Result<std::vector<AccessUse>>> AccessBook::look_up(std::vector<AccessUse> wanted) {
  SP_CO_CHECK(write());
  SP_CO_CHECK(repository_.find_access_uses(wanted));
  co_return wanted;
}

Task<Result<WallTime>> AccessBook::since() {
  SP_CO_TRY(const std::optional<std::string> text, repository_.get_meta("access_uses_since"));
  std::int64_t micros = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), micros);
  co_return WallTime(std::chrono::microseconds(micros));
}

}  // namespace sallyport::control
