// Is a folder of policies any good, and what of it do its tests reach? Here, without a server.
#include <algorithm>
#include <cmath>
#include <ostream>

#include "cli/context.h"

namespace sallyport::cli {
namespace {

std::string lines_text(const std::vector<std::uint32_t>& lines) {
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t begin = i;
    while (i + 1 < lines.size() && lines[i + 1] == lines[i] + 1) ++i;
    out += (out.empty() ? "" : ", ") + std::to_string(lines[begin]);
    if (i > begin) out += "-" + std::to_string(lines[i]);
  }
  return out;
}

// One digit behind the point, rounded down, so that 100.0 is said of nothing less.
std::string percent_text(double percent) {
  const auto tenths = static_cast<std::int64_t>(std::floor(percent * 10 + 1e-9));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

double percent_of(const PolicyTrial::File& file) {
  if (file.lines == 0) return 100;
  return 100.0 * static_cast<double>(file.lines - file.missed.size()) / static_cast<double>(file.lines);
}

void write_coverage(json::Writer& w, const PolicyTrial& trial) {
  w.key("coverage").object().member_raw("percent", percent_text(trial.percent)).key("files").array();
  for (const auto& file : trial.files) {
    w.object().member("file", file.name).member("lines", static_cast<std::uint64_t>(file.lines));
    w.member_raw("percent", percent_text(percent_of(file))).key("not_reached").array();
    for (const std::uint32_t line : file.missed) w.value(static_cast<std::uint64_t>(line));
    w.end_array().end_object();
  }
  w.end_array().end_object();
}

std::string trial_json(const PolicyTrial& trial, bool coverage) {
  json::Writer w;
  w.object().member("fault", trial.fault);
  write_names(w, "notes", trial.notes);
  w.key("tests").array();
  for (const auto& test : trial.tests) {
    w.object().member("name", test.name).member("passed", test.passed).member("why", test.why).end_object();
  }
  w.end_array();
  if (coverage) write_coverage(w, trial);
  return w.end_object().take();
}

void print_coverage(const Context& c, const PolicyTrial& trial) {
  for (const auto& file : trial.files) {
    c.io.out << percent_text(percent_of(file)) << " %  " << printable(file.name);
    if (!file.missed.empty()) c.io.out << "  not reached: " << lines_text(file.missed);
    c.io.out << "\n";
  }
  c.io.out << percent_text(trial.percent) << " % of the lines of rules are reached by a test\n";
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

}  // namespace

int run_policy_trial(const Context& c) {
  const Options& o = c.options;
  const bool tests = o.command == "policy test";
  const bool coverage = tests && (o.coverage || o.threshold);
  const auto wish = coverage ? PolicyWish::coverage : tests ? PolicyWish::tests : PolicyWish::check;
  const auto found = c.hooks.try_policies(o.home, o.name, wish);
  if (!found) return c.fail_with(kFailure, found.error().detail, "name a folder with files *.rego");
  const auto failed =
      static_cast<std::size_t>(std::ranges::count_if(found->tests, [](const auto& test) { return !test.passed; }));
  if (o.json) c.io.out << trial_json(*found, coverage) << "\n";
  else print(c, *found, failed);
  if (!found->fault.empty())
    return c.fail_with(kFailure, found->fault, "mend that line; what is in force stays in force");
  if (tests && found->tests.empty())
    return c.fail_with(kFailure, "there is no test", "rules test_... in files *_test.rego");
  if (coverage && !o.json) print_coverage(c, *found);
  if (o.threshold && found->percent < *o.threshold)
    return c.fail_with(
        kFailure, "the tests reach " + percent_text(found->percent) + " %, less than " + percent_text(*o.threshold),
        "test the lines that are not reached");
  if (!o.json && !tests) c.io.out << "compiles\n";
  return failed == 0 ? kOk : kFailure;
}

}  // namespace sallyport::cli
