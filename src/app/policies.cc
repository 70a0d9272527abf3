#include "app/policies.h"

#include "app/rules.h"
#include "engines/policy/explain.h"
#include "engines/policy/trial.h"

namespace sallyport::app {
namespace {

constexpr std::chrono::seconds kBudget{1};  // of one test

policy::Wish wish_of(cli::PolicyWish wish) {
  switch (wish) {
    case cli::PolicyWish::check: return policy::Wish::check;
    case cli::PolicyWish::tests: return policy::Wish::tests;
    case cli::PolicyWish::coverage: break;
  }
  return policy::Wish::coverage;
}

}  // namespace

Result<cli::PolicyFiles> policies_in(const std::string& home, const std::string& folder) {
  std::string place = folder;
  if (place.empty()) {
    SP_TRY(const auto settings, config::load(home, std::nullopt, config::process_environment()));
    place = settings.policies;
  }
  SP_TRY(auto modules, read_policies(place));
  if (modules.empty()) return fail(Code::not_found, "there is no policy in " + place);
  return modules;
}

Result<cli::PolicyTrial> try_policies(const std::string& home, const std::string& folder, cli::PolicyWish wish) {
  SP_TRY(const auto modules, policies_in(home, folder));
  const policy::Trial trial = policy::try_out(modules, wish_of(wish), kBudget);
  cli::PolicyTrial out;
  if (trial.fault) {
    out.fault = trial.fault->file + ":" + std::to_string(trial.fault->line) + ":" +
                std::to_string(trial.fault->column) + ": " + trial.fault->message;
  }
  out.notes = trial.notes;
  for (const auto& test : trial.tests) out.tests.push_back({test.name, test.passed, test.why});
  for (const auto& file : trial.coverage) out.files.push_back({file.file, file.lines(), file.not_reached});
  out.percent = policy::percent_reached(trial.coverage);
  return out;
}

Result<std::string> explain_policies(const std::string& folder, const std::string& package, const std::string& input) {
  constexpr std::chrono::milliseconds kDecision{10};  // as a decision has (DeciderSettings)
  SP_TRY(auto modules, policies_in({}, folder));
  if (!policy::packages_of(modules).contains(package))
    return fail(Code::not_found, "no policy " + package + " in " + folder);
  policy::PolicyEngine engine;
  SP_CHECK(engine.use(PolicySet{.modules = modules}));
  return policy::explanation_of(policy::explain(engine, package, input, kDecision), modules);
}

}  // namespace sallyport::app
