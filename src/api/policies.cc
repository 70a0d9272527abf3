// The policies in force, and what they would say (S0-11, S0-14; requirements, section 8). Nothing here decides about a request.
#include "api/people.h"
#include "api/policy_questions.h"
#include "engines/policy/explain.h"

namespace sallyport::api {
namespace {

// With an OPA server: the packages that it is asked for. Which files they are of is known over there alone.
std::map<std::string, std::vector<std::string>> packages_in_force(const Call& call) {
  if (call.request.ask_policy) return {{"tool_access", {}}, {"admin_access", {}}};
  return policy::packages_of(call.request.snapshot->policy->modules);
}

}  // namespace

Result<PolicyQuestionAsked> read_policy_question(const Call& call) {
  PolicyQuestionAsked out{std::string(call.root().string_at("policy_name").value_or("")),
                          std::string(call.root().find("input").value_or(json::Value()).raw())};
  if (out.input.size() > kPolicyInputMax) return fail(Code::validation, "input: at most 256 KiB");
  // Never more than these: an OPA server may hold documents that are nobody's business here.
  if (!packages_in_force(call).contains(out.package)) return fail(Code::not_found, "no policy " + out.package);
  return out;
}

RestAnswer refuse_question(const Call& call, const Error& error) {
  if (error.code != Code::rate_limited) return refuse(call, error);
  RestAnswer refused = refuse(call, error, error.detail);
  refused.headers.emplace_back("Retry-After", "1");
  return refused;
}

namespace {

RestAnswer evaluated(const std::string& name, const Result<policy::PolicyAnswer>& answer) {
  json::Writer w;
  w.object().member("allowed", answer && answer->allowed()).member("reason", policy::reason_of(answer));
  w.member("policy_name", name).end_object();
  return ok(w);
}

}  // namespace

Task<RestAnswer> list_policies(Call& call) {
  std::vector<std::string> items;
  for (const auto& [name, files] : packages_in_force(call)) {
    json::Writer w;
    w.object().member("name", name);
    write_texts(w, "files", files);
    w.end_object();
    items.push_back(w.take());
  }
  co_return co_await list(call, items);
}

Task<RestAnswer> evaluate_policy(Call& call) {
  const auto asked = read_policy_question(call);
  if (!asked) co_return refuse(call, asked.error());
  if (call.request.ask_policy) {  // an OPA server has the policies
    const auto answer = co_await call.request.ask_policy(asked->package, asked->input);
    co_return evaluated(asked->package, answer);
  }
  const auto answer = co_await ask_aside<policy::PolicyAnswer>(
      call, [policies = call.request.snapshot->policy, asked = *asked]() -> Result<policy::PolicyAnswer> {
        policy::PolicyEngine engine;
        SP_CHECK(engine.use(*policies));
        return engine.evaluate(asked.package, asked.input, std::nullopt, kPolicyBudget);
      });
  if (!answer && answer.error().code == Code::rate_limited) co_return refuse_question(call, answer.error());
  co_return evaluated(asked->package, answer);
}

}  // namespace sallyport::api
