// What trying a policy beside the one in force found, told once a second: metrics, and a line for what is new.
#include <array>

#include "engines/decide/shadow.h"
#include "request/pipeline/worker.h"

namespace sallyport {
namespace {

// Of "rule: reason" the rule: reasons may quote arguments, and the log is read by people who may not see those.
std::string_view rule_of(std::string_view text) { return text.substr(0, text.find(": ")); }

}  // namespace

void Worker::tell_of_shadow() {
  Shadow* const shadow = decider.shadow();
  if (shadow == nullptr) return;
  const ShadowReport now = shadow->report(false);
  const std::array<std::uint64_t, 3> counts{now.would_deny, now.would_allow, now.errors};
  // Counts begin anew with each candidate, and when other policies come into force.
  const bool anew = now.version != shadow_told.version || counts[0] < shadow_told.counts[0] ||
                    counts[1] < shadow_told.counts[1] || counts[2] < shadow_told.counts[2];
  if (anew) shadow_told.counts = {};
  shadow_told.version = now.version;
  using enum telemetry::Event;
  constexpr std::array kEvents{shadow_would_deny, shadow_would_allow, shadow_error};
  for (std::size_t i = 0; i < counts.size(); ++i) metrics.event(kEvents[i], counts[i] - shadow_told.counts[i]);
  shadow_told.counts = counts;
  for (const ShadowDifference& one : shadow->news()) {
    fleet.log.info("the tried policy differs", {{"version", now.version},
                                                {"kind", shadow_kind_name(one.kind)},
                                                {"principal", one.principal},
                                                {"server", one.server},
                                                {"tool", one.tool},
                                                {"permission", one.permission},
                                                {"phase", one.phase},
                                                {"active", rule_of(one.active)},
                                                {"candidate", rule_of(one.candidate)}});
  }
  if (now.suspended && !shadow_told.suspended) {
    fleet.log.warning("the tried policy is too slow: trying it is suspended", {{"version", now.version}});
  }
  shadow_told.suspended = now.suspended;
}

}  // namespace sallyport
