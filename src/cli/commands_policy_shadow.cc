// A candidate tried beside the policies in force.
#include <ostream>

#include "cli/policy_sources.h"

namespace sallyport::cli {
namespace {

const std::string kShadow = "/api/v1/policies/shadow";

std::string report_text(const Context& c, json::Value report) {
  std::string out = "policy version " + cell_text(report, "version") + " is tried beside " +
                    cell_text(report, "against") + ": of " + cell_text(report, "compared") +
                    " decisions it would deny " + cell_text(report, "would_deny") + ", allow " +
                    cell_text(report, "would_allow") + ", bind to something else " + cell_text(report, "would_oblige") +
                    ", fail at " + cell_text(report, "errors") + "; passed over for want of time " +
                    cell_text(report, "skipped") + "\n";
  if (cell_text(report, "suspended") == "true") out += "too slow: suspended until another one is tried\n";
  const json::Value differences = report.find("differences").value_or(json::Value());
  if (differences.size() == 0) return out;
  return out + render_table(differences,
                            {{"kind", "KIND"},
                             {"count", "COUNT"},
                             {"principal", "PRINCIPAL", 40},
                             {"server", "SERVER", 24},
                             {"tool", "TOOL", 32},
                             {"phase", "PHASE"},
                             {"candidate", "THE CANDIDATE SAYS", 70}},
                            c.io.colour);
}

// The files of a folder become a candidate first; its number.
Result<std::string> candidate_of(const Context& c) {
  SP_TRY(const PolicyFiles files, c.hooks.read_policies(c.options.home, c.options.name));
  json::Writer w;
  write_modules(w.object(), files);
  w.member("reason", c.options.reason.empty() ? "to be tried" : c.options.reason).end_object();
  SP_TRY(const ApiAnswer made, c.api("POST", "/api/v1/policies/versions", w.text()));
  SP_TRY(const json::Document document, json::read_upstream_document(made.body));
  if (made.status == 201) return cell_text(document.root(), "version");
  return fail(made.status == 403 ? Code::access_denied : Code::validation, cell_text(document.root(), "error.message"));
}

}  // namespace

int run_policy_shadow(const Context& c) {
  if (c.options.stop) {
    return finish(c, c.api("DELETE", kShadow),
                  [](json::Value) { return std::string("no candidate is tried any more\n"); });
  }
  if (c.options.name.empty()) {
    return finish(c, c.api("GET", kShadow), [&](json::Value report) { return report_text(c, report); });
  }
  std::string version = c.options.name;
  if (!names_version(version)) {
    if (const int tried = try_before(c, version); tried != kOk) return tried;
    auto made = candidate_of(c);
    if (!made) return finish(c, fail(made.error()), details(c));
    version = std::move(*made);
  }
  return finish(c, c.api("POST", "/api/v1/policies/versions/" + version + "/shadow", "{}"), [&](json::Value now) {
    return "policy version " + cell_text(now, "version") + " is tried; see sallyport policy shadow --report\n";
  });
}

}  // namespace sallyport::cli
