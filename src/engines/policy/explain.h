// One question to a policy with all that is to be known of the answer: what was said, and which bodies of rules were reached on the
// way, with their text. For people who ask why; nothing is decided here. One thread, the engine's.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/policy/coverage.h"
#include "engines/policy/policy.h"
#include "json/writer.h"

namespace sallyport::policy {

struct Explained {
  std::string package;
  std::string input_json;  // without the arguments; as far as a rule may read it
  std::optional<std::string> arguments_json;
  Result<PolicyAnswer> answer = fail(Code::internal, "not asked");
  std::vector<FileCoverage> files;  // bodies that were reached, and no other
  std::string unexplained;  // why `files` is empty though rules were reached; else empty
};

// What `engine`, which notes lines since before the question, reached on the way to `answer`.
Explained explained(PolicyEngine& engine, std::string_view package, std::string_view input_json,
                    std::optional<std::string_view> arguments_json, const Result<PolicyAnswer>& answer);

// Asks as PolicyEngine::evaluate does, with its errors in `answer`, and again for the lines: that costs up to 0.2 s.
Explained explain(PolicyEngine& engine, std::string_view package, std::string_view input_json,
                  std::chrono::nanoseconds budget);

// "allowed", the reasons of a denial, "no rule allows it", or the error.
std::string reason_of(const Result<PolicyAnswer>& answer);

// The answer to `policy explain` by an input, as JSON: {allowed, rule, reason, policies: [{phase, tool, answer}], ...}.
std::string explanation_of(const Explained& what, const Modules& modules);

// An object: package, input, allow, deny, reasons, obligations, error, rules (file, line, text, ...). `modules`: those in force.
void write(json::Writer& w, const Explained& what, const Modules& modules);

}  // namespace sallyport::policy
