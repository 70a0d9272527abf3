#include <ostream>

#include "cli/context.h"

namespace sallyport::cli {
namespace {

int verify(const Context& c) {
  if (!c.hooks.verify_audit) return c.fail_with(kFailure, "this build cannot verify");
  const auto verdict = c.hooks.verify_audit(c.options.home);
  if (!verdict) return c.fail_with(kFailure, printable(verdict.error().detail, 1000), "check --home");
  if (c.options.json) {
    json::Writer w;
    w.object()
        .member("intact", verdict->intact)
        .member("records", verdict->records)
        .member("problem", verdict->problem)
        .end_object();
    c.io.out << w.text() << "\n";
    return verdict->intact ? kOk : kUnverified;
  }
  if (!verdict->intact) {
    return c.fail_with(kUnverified, "the audit is NOT intact: " + printable(verdict->problem, 1000),
                       "keep the folder as it is and find out who wrote to it");
  }
  c.io.out << coloured("intact", "intact", c.io.colour) << ": " << verdict->records << " records\n";
  return kOk;
}

}  // namespace

int run_audit(const Context& c) {
  if (c.options.command == "audit verify") return verify(c);
  const Options& o = c.options;
  const std::string path = "/api/v1/audit" + query({{"limit", std::to_string(o.limit)},
                                                    {"principal", o.principal},
                                                    {"server", o.server},
                                                    {"tool", o.tool},
                                                    {"result", o.result}});
  return finish(c, c.api("GET", path),
                list_of(c,
                        {{"timestamp", "TIME"},
                         {"kind", "KIND"},
                         {"event_type", "EVENT"},
                         {"principal", "PRINCIPAL", 32},
                         {"action", "ACTION", 24},
                         {"tool_id", "TOOL", 40},
                         {"result", "RESULT"},
                         {"reason", "REASON", 40}},
                        "No records"));
}

}  // namespace sallyport::cli
