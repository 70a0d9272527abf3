#include "cli/policy_sources.h"

#include <algorithm>
#include <ostream>

namespace sallyport::cli {

bool names_version(const std::string& which) {
  if (which == "active" || which == "shadow") return true;
  return !which.empty() && std::ranges::all_of(which, [](char c) { return c >= '0' && c <= '9'; });
}

Result<PolicyFiles> policy_files(const Context& c, const std::string& which) {
  if (!names_version(which)) return c.hooks.read_policies(c.options.home, which);
  SP_TRY(const ApiAnswer answer, c.api("GET", "/api/v1/policies/versions/" + url_encode(which)));
  SP_TRY(const json::Document document, json::read_upstream_document(answer.body, {.bytes_max = 64U << 20}));
  if (answer.status != 200) {
    return fail(answer.status == 404   ? Code::not_found
                : answer.status == 403 ? Code::access_denied
                                       : Code::internal,
                cell_text(document.root(), "error.message"));
  }
  PolicyFiles files;
  for (const json::Value module : document.root().find("modules").value_or(json::Value()).elements()) {
    files.emplace_back(module.string_at("name").value_or(""), module.string_at("source").value_or(""));
  }
  return files;
}

void write_modules(json::Writer& w, const PolicyFiles& files) {
  w.key("modules").array();
  for (const auto& [name, source] : files) w.object().member("name", name).member("source", source).end_object();
  w.end_array();
}

std::string printable_lines(std::string_view text) {
  constexpr std::size_t kWidth = 10'000;
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (line.starts_with('\t') || line.starts_with(' ') || line.starts_with('+') || line.starts_with('-')) {
      out += line.front();
      line.remove_prefix(1);
    }
    out += printable(line, kWidth) + "\n";
  }
  return out;
}

int try_before(const Context& c, const std::string& folder) {
  const auto trial = c.hooks.try_policies(c.options.home, folder, PolicyWish::tests);
  if (!trial) return c.fail_with(kFailure, printable(trial.error().detail), "name a folder with files *.rego");
  if (!trial->fault.empty()) {
    return c.fail_with(kFailure, printable(trial->fault, 1000), "mend that line; what is in force stays in force");
  }
  for (const auto& note : trial->notes) c.io.err << "note: " << printable(note) << "\n";
  std::size_t failed = 0;
  for (const auto& test : trial->tests) {
    if (test.passed) continue;
    ++failed;
    c.io.err << "FAIL  " << printable(test.name) << "  " << printable(test.why) << "\n";
  }
  if (failed == 0 || c.options.force) return kOk;
  return c.fail_with(kFailure, std::to_string(failed) + " of " + std::to_string(trial->tests.size()) + " tests fail",
                     "mend the policy or the test, or say --force; what is in force stays in force");
}

}  // namespace sallyport::cli
