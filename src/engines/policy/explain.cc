#include "engines/policy/explain.h"

#include <algorithm>

namespace sallyport::policy {
namespace {

constexpr int kNotingTakes = 10;  // times as long as deciding alone, at most
constexpr std::chrono::milliseconds kBodies{20};  // to ask the bodies of one file
constexpr std::size_t kTextBytesMax = 4096;       // of one body

// Lines `from` to `to` of a source, numbered from 1; cut at the end of a line where they are long.
std::string text_of(std::string_view source, std::uint32_t from, std::uint32_t to) {
  std::string out;
  for (std::uint32_t line = 1; line <= to && !source.empty(); ++line) {
    const auto end = std::min(source.find('\n'), source.size());
    if (line >= from) {
      if (out.size() + end > kTextBytesMax) break;
      out.append(out.empty() ? "" : "\n").append(source.substr(0, end));
    }
    source.remove_prefix(std::min(end + 1, source.size()));
  }
  return out;
}

std::string_view source_of(const Modules& modules, std::string_view file) {
  const auto found =
      std::ranges::find(modules, file, [](const auto& module) { return std::string_view(module.first); });
  return found == modules.end() ? std::string_view() : std::string_view(found->second);
}

void write_body(json::Writer& w, const FileCoverage& file, const RuleBody& body, std::string_view source) {
  w.object().member("rule", body.rule).member("kind", body.kind).member("file", file.file);
  w.member("line", static_cast<std::uint64_t>(body.line))
      .member("last_line", static_cast<std::uint64_t>(body.last_line));
  w.key("holds");
  if (body.holds) w.value(*body.holds);
  else w.null();
  w.key("reached").array();
  for (const std::uint32_t line : body.reached) w.value(static_cast<std::uint64_t>(line));
  w.end_array().member("text", text_of(source, body.line, body.last_line)).end_object();
}

// The arguments are a document of their own, and are shown where the rules see them.
std::string whole_input(const Explained& what) {
  std::string out = what.input_json;
  if (!what.arguments_json || !out.ends_with('}')) return out;
  out.pop_back();
  return out.append(out == "{" ? "" : ",").append("\"arguments\":").append(*what.arguments_json).append("}");
}

// As the rule of a Decision.
std::string rule_of(const Explained& what) {
  if (!what.answer) return "policy.error";
  return "policy." + what.package + (what.answer->deny ? ".deny" : what.answer->allow ? ".allow" : ".default");
}

}  // namespace

Explained explained(PolicyEngine& engine, std::string_view package, std::string_view input_json,
                    std::optional<std::string_view> arguments_json, const Result<PolicyAnswer>& answer) {
  Explained out{.package = std::string(package), .input_json = std::string(input_json), .answer = answer};
  if (arguments_json) out.arguments_json = *arguments_json;
  const Question question{input_json, arguments_json};
  auto files = reached_lines(engine, &question, kBodies);
  if (!files) {
    out.unexplained = files.error().detail;
    return out;
  }
  for (FileCoverage& file : *files) {
    std::erase_if(file.bodies, [](const RuleBody& body) { return body.reached.empty(); });
  }
  out.files = std::move(*files);
  return out;
}

Explained explain(PolicyEngine& engine, std::string_view package, std::string_view input_json,
                  std::chrono::nanoseconds budget) {
  const auto answer = engine.evaluate(package, input_json, std::nullopt, budget, true);
  note_lines(engine, true);
  const auto noted = engine.evaluate(package, input_json, std::nullopt, budget * kNotingTakes, true);
  Explained out = explained(engine, package, input_json, std::nullopt, noted);
  note_lines(engine, false);
  out.answer = answer;
  return out;
}

std::string reason_of(const Result<PolicyAnswer>& answer) {
  if (!answer) return "the policy fails, which denies: " + answer.error().detail;
  if (answer->allowed()) return "allowed";
  if (!answer->deny) return "no rule allows it";
  std::string out;
  for (const std::string& reason : answer->deny_reasons) out += (out.empty() ? "" : "; ") + reason;
  return out.empty() ? "denied" : out;
}

std::string explanation_of(const Explained& what, const Modules& modules) {
  const bool allowed = what.answer && what.answer->allowed();
  json::Writer w;
  w.object().member("allowed", allowed).member("rule", rule_of(what)).member("reason", reason_of(what.answer));
  w.key("policies").array().object().key("answer");
  write(w, what, modules);
  w.end_object().end_array().end_object();
  return w.take();
}

void write(json::Writer& w, const Explained& what, const Modules& modules) {
  w.object().member("package", what.package).member_raw("input", whole_input(what));
  w.member("allow", what.answer && what.answer->allow).member("deny", !what.answer || what.answer->deny);
  w.key("reasons").array();
  if (what.answer) {
    for (const std::string& reason : what.answer->deny_reasons) w.value(reason);
  }
  w.end_array().member("error", what.answer ? std::string() : what.answer.error().detail);
  w.member_raw("obligations", what.answer && !what.answer->obligations.empty() ? what.answer->obligations : "null");
  w.member("unexplained", what.unexplained).key("rules").array();
  for (const FileCoverage& file : what.files) {
    const std::string_view source = source_of(modules, file.file);
    for (const RuleBody& body : file.bodies) write_body(w, file, body, source);
  }
  w.end_array().end_object();
}

}  // namespace sallyport::policy
