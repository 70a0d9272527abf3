// Calls that wait for people: looking at them, deciding.
#include <sstream>

#include "cli/context.h"
#include "json/canonical.h"

namespace sallyport::cli {
namespace {

// Every line of the arguments is shown, and none of them can imitate a line of ours.
std::string render_approval(const Context& c, json::Value call) {
  std::string out;
  for (const char* key : {"id", "state", "principal", "principal_name", "server", "tool", "tool_digest", "digest",
                          "policy_rule", "created_at", "expires_at", "decided_at", "decided_by", "reason"}) {
    const std::string text = printable(cell_text(call, key), 4000);
    if (!text.empty()) out += std::string(key) + ": " + coloured(text, text, c.io.colour) + "\n";
  }
  const auto arguments = call.find("arguments");
  std::istringstream lines(arguments ? json::pretty(arguments->raw()) : "");
  if (arguments) out += "arguments:\n";
  for (std::string line; std::getline(lines, line);) {
    const auto indent = std::min(line.find_first_not_of(' '), line.size());
    out += "  " + line.substr(0, indent) + printable(line.substr(indent), 1U << 20) + "\n";
  }
  return out;
}

int decide(const Context& c, const std::string& path) {
  json::Writer w;
  w.object();
  if (!c.options.reason.empty()) w.member("reason", c.options.reason);
  w.end_object();
  return finish(c, c.api("POST", path, w.text()), [&](json::Value call) { return render_approval(c, call); });
}

}  // namespace

int run_approval(const Context& c) {
  const std::string_view what = std::string_view(c.options.command).substr(9);
  const std::string path = "/api/v1/approvals/" + url_encode(c.options.name);
  if (what == "show") {
    return finish(c, c.api("GET", path), [&](json::Value call) { return render_approval(c, call); });
  }
  if (what == "approve" || what == "deny") return decide(c, path + "/" + std::string(what));
  if (what == "cancel") {
    return finish(c, c.api("DELETE", path),
                  [&](json::Value) { return "withdrew " + printable(c.options.name) + "\n"; });
  }
  const std::string state = c.options.state.empty() ? "pending" : c.options.state == "all" ? "" : c.options.state;
  const std::string list = "/api/v1/approvals" + query({{"state", state},
                                                        {"limit", std::to_string(c.options.limit)},
                                                        {"offset", std::to_string(c.options.offset)}});
  return finish(c, c.api("GET", list),
                list_of(c,
                        {{"id", "ID"},
                         {"state", "STATE"},
                         {"principal_name", "WHO", 30},
                         {"server", "SERVER", 30},
                         {"tool", "TOOL", 40},
                         {"expires_at", "UNTIL"}},
                        state == "pending" ? "No call waits for approval" : "None"));
}

}  // namespace sallyport::cli
