// The policies in force, and what they would say (S0-11, S0-14; requirements, section 8). Nothing here decides about a request.
#include "api/people.h"
#include "engines/policy/policy.h"

namespace sallyport::api {
namespace {

// As long as a decision may take (DeciderSettings).
constexpr std::chrono::milliseconds kBudget{10};
constexpr std::size_t kInputMax = 256U << 10;  // reading it takes a worker's time, and no budget bounds that

std::string reason_of(const Result<policy::PolicyAnswer>& answer) {
  if (!answer) return "the policy fails, which denies: " + answer.error().detail;
  if (answer->allowed()) return "allowed";
  if (!answer->deny) return "no rule allows it";
  std::string out;
  for (const std::string& reason : answer->deny_reasons) out += (out.empty() ? "" : "; ") + reason;
  return out.empty() ? "denied" : out;
}

}  // namespace

Task<RestAnswer> list_policies(Call& call) {
  std::vector<std::string> items;
  for (const auto& [name, files] : policy::packages_of(call.request.snapshot->policy->modules)) {
    json::Writer w;
    w.object().member("name", name);
    write_texts(w, "files", files);
    w.end_object();
    items.push_back(w.take());
  }
  co_return list(call, items);
}

Task<RestAnswer> evaluate_policy(Call& call) {
  const std::string name(call.root().string_at("policy_name").value_or(""));
  const Snapshot& snapshot = *call.request.snapshot;
  const auto input = call.root().find("input").value_or(json::Value());
  if (input.raw().size() > kInputMax) co_return refuse(call, {Code::validation, "input: at most 256 KiB"});
  if (!policy::packages_of(snapshot.policy->modules).contains(name))
    co_return refuse(call, {Code::not_found, "no policy " + name});
  policy::PolicyEngine engine;
  if (const auto used = engine.use(*snapshot.policy); !used) co_return refuse(call, used.error());
  const auto answer = engine.evaluate(name, input.raw(), std::nullopt, kBudget);
  json::Writer w;
  w.object().member("allowed", answer && answer->allowed()).member("reason", reason_of(answer));
  w.member("policy_name", name).end_object();
  co_return ok(w);
}

}  // namespace sallyport::api
