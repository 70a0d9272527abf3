// Policies: what is in force and what it would say (REST), and whether a folder of them is any good (here, without a server).
#include <algorithm>
#include <ostream>

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

std::string trial_json(const PolicyTrial& trial) {
  json::Writer w;
  w.object().member("fault", trial.fault);
  write_names(w, "notes", trial.notes);
  w.key("tests").array();
  for (const auto& test : trial.tests) {
    w.object().member("name", test.name).member("passed", test.passed).member("why", test.why).end_object();
  }
  return w.end_array().end_object().take();
}

void print(const Context& c, const PolicyTrial& trial, std::size_t failed) {
  for (const auto& test : trial.tests) {
    c.io.out << (test.passed ? "ok    " : "FAIL  ") << printable(test.name);
    if (!test.why.empty()) c.io.out << "  " << printable(test.why);
    c.io.out << "\n";
  }
  for (const auto& note : trial.notes) c.io.out << "note: " << printable(note) << "\n";
  if (!trial.tests.empty()) c.io.out << trial.tests.size() - failed << " passed, " << failed << " failed\n";
}

int try_folder(const Context& c, bool tests) {
  const auto found = c.hooks.try_policies(c.options.home, c.options.name, tests);
  if (!found) return c.fail_with(kFailure, found.error().detail, "name a folder with files *.rego");
  const auto failed =
      static_cast<std::size_t>(std::ranges::count_if(found->tests, [](const auto& test) { return !test.passed; }));
  if (c.options.json) c.io.out << trial_json(*found) << "\n";
  else print(c, *found, failed);
  if (!found->fault.empty())
    return c.fail_with(kFailure, found->fault, "mend that line; what is in force stays in force");
  if (tests && found->tests.empty())
    return c.fail_with(kFailure, "there is no test", "rules test_... in files *_test.rego");
  if (!c.options.json && !tests) c.io.out << "compiles\n";
  return failed == 0 ? kOk : kFailure;
}

}  // namespace

int run_policy(const Context& c) {
  const std::string_view what = std::string_view(c.options.command).substr(7);
  if (what == "check") return try_folder(c, false);
  if (what == "test") return try_folder(c, true);
  if (what == "eval") return eval(c);
  return finish(
      c, c.api("GET", "/api/v1/policies" + page(c.options)),
      list_of(c, {{"name", "NAME", 40}, {"files", "FILES", 80}}, "No policy is in force: everything is refused"));
}

}  // namespace sallyport::cli
