// Why something is allowed or refused, for people: what the roles say, then each question to the policy with the bodies of rules that
// were reached. A line that was evaluated has ">" before it.
#include <algorithm>
#include <sstream>

#include "cli/context.h"

namespace sallyport::cli {
namespace {

Result<std::string> body_of(const Context& c) {
  const Options& o = c.options;
  json::Writer w;
  w.object();
  if (!o.input.empty()) {
    SP_TRY(const std::string input, json_object(c, o.input, "the input"));
    return w.member("policy_name", o.name).member_raw("input", input).end_object().take();
  }
  w.member("principal", o.as).member("tool", o.tool);
  if (!o.arguments.empty()) {
    SP_TRY(const std::string arguments, json_object(c, o.arguments, "the arguments"));
    w.member_raw("arguments", arguments);
  }
  using Member = std::pair<std::string_view, const std::string&>;
  for (const auto& [key, value] : {Member{"phase", o.phase}, Member{"channel", o.door}, Member{"address", o.address},
                                   Member{"protocol", o.protocol}}) {
    if (!value.empty()) w.member(key, value);
  }
  return w.end_object().take();
}

std::string joined(json::Value texts) {
  std::string out;
  for (const json::Value text : texts.elements()) {
    out += (out.empty() ? "" : "; ") + printable(text.as_string().value_or(""), 500);
  }
  return out;
}

json::Value at(json::Value from, std::string_view name) { return from.find(name).value_or(json::Value()); }

std::string render_body(json::Value rule) {
  const auto holds = at(rule, "holds").as_bool();
  std::string out = "  " + printable(rule.string_at("file").value_or("")) + ":" + cell_text(rule, "line") + "  " +
                    printable(rule.string_at("rule").value_or(""));
  const std::string kind(rule.string_at("kind").value_or(""));
  if (kind != "rule") out += " (" + printable(kind) + ")";
  if (holds) out += *holds ? "  holds" : "  does not hold";
  out += "\n";
  std::vector<std::int64_t> reached;
  const json::Value lines = at(rule, "reached");
  for (const json::Value line : lines.elements()) reached.push_back(line.as_int64().value_or(0));
  std::istringstream text{std::string(rule.string_at("text").value_or(""))};
  std::int64_t number = at(rule, "line").as_int64().value_or(0);
  for (std::string line; std::getline(text, line); ++number) {
    const bool hit = std::ranges::find(reached, number) != reached.end();
    const std::size_t indent = std::min(line.find_first_not_of("\t "), line.size());
    out += (hit ? "  > " : "    ") + std::to_string(number) + "  " + std::string(2 * indent, ' ') +
           printable(std::string_view(line).substr(indent), 300) + "\n";
  }
  return out;
}

std::string render_question(json::Value question) {
  const json::Value answer = at(question, "answer");
  std::string out = "policy  " + printable(answer.string_at("package").value_or(""));
  if (question.find("phase"))
    out += ", " + cell_text(question, "permission") + ", phase " + cell_text(question, "phase") + ", " +
           printable(cell_text(question, "tool"));
  out += at(answer, "allow").as_bool() == true ? ": a rule allows it" : ": no rule allows it";
  if (at(answer, "deny").as_bool() == true) out += ", and it is denied";
  if (const std::string reasons = joined(at(answer, "reasons")); !reasons.empty()) out += ": " + reasons;
  if (const json::Value bound = at(answer, "obligations"); !bound.is_null())
    out += "\n  bound to: " + printable(bound.raw(), 1000);
  if (const std::string error = cell_text(answer, "error"); !error.empty())
    out += "\n  error: " + printable(error, 1000);
  if (const std::string why = cell_text(answer, "unexplained"); !why.empty())
    out += "\n  no lines: " + printable(why, 1000);
  out += "\n";
  const json::Value rules = at(answer, "rules");
  for (const json::Value rule : rules.elements()) out += render_body(rule);
  return out;
}

std::string render_roles(json::Value root) {
  const json::Value roles = at(root, "roles");
  std::string out = "who     " + printable(cell_text(root, "principal.name")) + " (" +
                    printable(cell_text(root, "principal.id")) +
                    "), roles: " + joined(at(at(root, "principal"), "roles"));
  if (const std::string groups = joined(at(at(root, "principal"), "groups")); !groups.empty())
    out += "; groups: " + groups;
  out += "\nroles   ";
  if (at(roles, "granted").as_bool() == true) out += "grant it: " + joined(at(roles, "granted_by"));
  else out += "do not grant it";
  if (const std::string missing = joined(at(roles, "missing")); !missing.empty()) out += "; missing: " + missing;
  return out + "\n";
}

std::string render(json::Value root) {
  const bool allowed = at(root, "allowed").as_bool() == true;
  std::string out = allowed ? "allowed" : "refused";
  const std::string reason = printable(cell_text(root, "reason"), 1000);
  if (!allowed && !reason.empty()) out += ": " + reason;
  out += " (" + printable(cell_text(root, "rule")) + ")\n";
  if (const std::string evidence = cell_text(root, "evidence"); !evidence.empty())
    out += printable(evidence, 1000) + "\n";
  if (root.find("roles")) out += render_roles(root);
  const json::Value notes = at(root, "notes");
  for (const json::Value note : notes.elements())
    out += "note: " + printable(note.as_string().value_or(""), 500) + "\n";
  const json::Value policies = at(root, "policies");
  for (const json::Value question : policies.elements()) out += render_question(question);
  return out;
}

int explain_folder(const Context& c) {
  const auto input = json_object(c, c.options.input, "the input");
  if (!input) return c.fail_with(kUsage, input.error().detail, "see sallyport policy explain --help");
  auto found = c.hooks.explain_policies(c.options.folder, c.options.name, *input);
  if (!found) return finish(c, fail(std::move(found).error()), render);
  return finish(c, ApiAnswer{200, std::move(*found)}, render);
}

}  // namespace

int run_policy_explain(const Context& c) {
  const Options& o = c.options;
  if (o.input.empty() && o.as.empty())
    return c.fail_with(kUsage, "name what to explain", "POLICY --input JSON, or --as USER|KEY --tool SERVER/TOOL");
  if (!o.folder.empty()) return explain_folder(c);
  const auto body = body_of(c);
  if (!body) return c.fail_with(kUsage, body.error().detail, "see sallyport policy explain --help");
  return finish(c, c.api("POST", "/api/v1/policies/explain", *body), render);
}

}  // namespace sallyport::cli
