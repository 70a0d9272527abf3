// Policies: what is in force and what it would say.
#include "cli/context.h"

namespace sallyport::cli {
namespace {

int eval(const Context& c) {
  const auto input = json_object(c, c.options.arguments, "the input");
  if (!input) return c.fail_with(kUsage, input.error().detail, "see sallyport policy eval --help");
  json::Writer w;
  w.object().member("policy_name", c.options.name).member_raw("input", *input).end_object();
  return finish(c, c.api("POST", "/api/v1/policies/evaluate", w.text()), details(c));
}

}  // namespace

int run_policy(const Context& c) {
  const std::string_view what = std::string_view(c.options.command).substr(7);
  if (what == "check" || what == "test") return run_policy_trial(c);
  if (what == "explain") return run_policy_explain(c);
  if (what == "scaffold") return run_policy_scaffold(c);
  if (what == "eval") return eval(c);
  if (what == "shadow") return run_policy_shadow(c);
  if (what == "replay") return run_policy_replay(c);
  if (what != "list") return run_policy_versions(c);
  return finish(
      c, c.api("GET", "/api/v1/policies" + page(c.options)),
      list_of(c, {{"name", "NAME", 40}, {"files", "FILES", 80}}, "No policy is in force: everything is refused"));
}

}  // namespace sallyport::cli
