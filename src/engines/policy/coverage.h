// Which lines of the rules were reached, and by which bodies: for `policy test --coverage` and `policy explain`. Read from the
// very evaluation that decides. Not for the hot path: an engine that notes lines is slower, and the report costs more. One
// thread, the engine's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/policy/policy.h"

namespace sallyport::policy {

// A body of a rule; a rule without one, and a default, count as one too. Lines from 1.
struct RuleBody {
  std::string rule;  // "tool_access.allow"
  std::string kind;  // "rule", "else", "default", "function"
  std::uint32_t line = 0;
  std::uint32_t last_line = 0;
  std::vector<std::uint32_t> reached;  // of its lines, those of expressions that were evaluated
  std::vector<std::uint32_t> not_reached;  // behind what was not true, say
  std::optional<bool> holds;  // on the question; nothing: not asked, or not to be said (of a function)
};

struct FileCoverage {
  std::string file;
  std::vector<std::uint32_t> reached;
  std::vector<std::uint32_t> not_reached;
  std::vector<RuleBody> bodies;
  [[nodiscard]] std::size_t lines() const noexcept { return reached.size() + not_reached.size(); }
};

// Of all lines of rules in `files`, the share that was reached, 0 to 100; 100 where there is none.
double percent_reached(const std::vector<FileCoverage>& files) noexcept;

// Lets `engine` note lines from now on, until its next use(), or no more; what it noted is forgotten.
void note_lines(PolicyEngine& engine, bool on);

struct Question {
  std::string_view input_json;  // as of PolicyEngine::evaluate
  std::optional<std::string_view> arguments_json;
};

// What was reached since, by file in the order of the modules, those of tests too. With a question, bodies that were reached are asked
// apart whether they hold on it, `budget` for each file. Error: Code::internal (nothing in force, the engine broke).
Result<std::vector<FileCoverage>> reached_lines(PolicyEngine& engine, const Question* question,
                                                std::chrono::nanoseconds budget);

}  // namespace sallyport::policy
