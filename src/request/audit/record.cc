#include "request/audit/record.h"

#include <array>

namespace sallyport::audit {

std::string_view kind_name(Kind kind) noexcept {
  static constexpr std::array<std::string_view, 4> kNames{"intent", "outcome", "refusal", "event"};
  return kNames[static_cast<std::size_t>(kind)];
}

void AuditRecord::set(const Decision& decision) {
  stage = stage_name(decision.stage);
  rule_id = decision.rule_id;
  reason = decision.reason;
  evidence = decision.evidence;
  result = decision.allow ? "success" : "denied";
}

}  // namespace sallyport::audit
