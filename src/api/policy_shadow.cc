// A candidate tried beside the policies in force: which, and what it would have said (issue 5).
#include <algorithm>
#include <map>

#include "api/policy_versions.h"
#include "api/standing.h"
#include "engines/decide/shadow.h"

namespace sallyport::api {
namespace {

constexpr std::size_t kShownMax = 1000;

std::string key_of(const ShadowDifference& one) {
  std::string key(shadow_kind_name(one.kind));
  for (const std::string* part : {&one.principal, &one.server, &one.tool, &one.permission, &one.phase}) {
    key.append(1, '\0').append(*part);
  }
  return key;
}

void add(std::map<std::string, ShadowDifference>& all, const ShadowDifference& one) {
  ShadowDifference& known = all[key_of(one)];
  const std::uint64_t count = known.count + one.count;
  if (one.at >= known.at) known = one;
  known.count = count;
}

// What the workers counted of this candidate against these policies.
ShadowReport sum_of(const std::vector<ShadowReport>& parts, std::uint64_t version, std::uint64_t against) {
  ShadowReport sum;
  sum.version = version;
  sum.against = against;
  std::map<std::string, ShadowDifference> all;
  for (const ShadowReport& part : parts) {
    if (part.version != version || part.against != against) continue;
    sum.compared += part.compared;
    sum.would_deny += part.would_deny;
    sum.would_allow += part.would_allow;
    sum.would_oblige += part.would_oblige;
    sum.errors += part.errors;
    sum.skipped += part.skipped;
    sum.suspended = sum.suspended || part.suspended;
    for (const auto& one : part.differences) add(all, one);
  }
  for (auto& [key, one] : all) sum.differences.push_back(std::move(one));
  std::ranges::sort(sum.differences, [](const ShadowDifference& a, const ShadowDifference& b) {
    return a.count != b.count ? a.count > b.count : key_of(a) < key_of(b);
  });
  if (sum.differences.size() > kShownMax) sum.differences.resize(kShownMax);
  return sum;
}

std::string report_text(const ShadowReport& report) {
  json::Writer w;
  w.object().member("version", report.version).member("against", report.against).member("compared", report.compared);
  w.member("would_deny", report.would_deny).member("would_allow", report.would_allow);
  w.member("would_oblige", report.would_oblige).member("errors", report.errors);
  w.member("skipped", report.skipped).member("suspended", report.suspended).key("differences").array();
  for (const ShadowDifference& one : report.differences) {
    w.object().member("kind", shadow_kind_name(one.kind)).member("count", one.count).member("at", iso_time(one.at));
    w.member("principal", one.principal).member("server", one.server).member("tool", one.tool);
    w.member("permission", one.permission).member("phase", one.phase);
    w.member("active", one.active).member("candidate", one.candidate).end_object();
  }
  return w.end_array().end_object().take();
}

}  // namespace

Task<RestAnswer> try_policy_version(Call& call) {
  const auto number = version_number(call.parts[0]);
  if (!number) co_return refuse(call, number.error());
  auto& shelf = call.api.deps().control.policies();
  const auto tried = co_await run_for_caller<control::PolicyVersion>(call, shelf.set_shadow(*number));
  if (!tried) co_return refuse(call, tried.error());
  RestAnswer answer;
  answer.body = version_text(*tried, {.shadow = tried->number});
  answer.reason = "policy-version=" + std::to_string(*number);
  co_return answer;
}

Task<RestAnswer> stop_trying_policies(Call& call) {
  const auto done =
      co_await run_for_caller<control::PolicyVersion>(call, call.api.deps().control.policies().set_shadow(0));
  if (!done) co_return refuse(call, done.error());
  co_return no_content();
}

// Who called what, and reasons that may quote arguments: so it asks for what the record of calls asks for.
Task<RestAnswer> show_policy_shadow(Call& call) {
  co_await prepare(call, [&] { (void)permit_action(call, Permission::audit_read); });
  if (auto also = permit_action(call, Permission::audit_read); !also) co_return refuse(call, also.error());
  const Snapshot& snapshot = *call.request.snapshot;
  if (!snapshot.shadow) co_return refuse(call, {Code::not_found, "no candidate is tried"});
  const std::vector<ShadowReport> parts = co_await call.api.deps().shadow_reports();
  RestAnswer answer;
  answer.body = report_text(sum_of(parts, snapshot.shadow->version, snapshot.policy->version));
  co_return answer;
}

}  // namespace sallyport::api
