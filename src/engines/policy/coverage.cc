#include "engines/policy/coverage.h"

#include <sallyport_policy.h>

#include <algorithm>

#include "json/document.h"

namespace sallyport::policy {
namespace {

constexpr std::size_t kReportBytesMax = 64U << 20;

SpView view(std::string_view text) { return {text.data() == nullptr ? "" : text.data(), text.size()}; }

std::string take(SpText text) {
  std::string out;
  if (text.data != nullptr) out.assign(text.data, text.size);
  sp_policy_text_free(text);
  return out;
}

std::vector<std::uint32_t> lines_at(json::Value from, std::string_view name) {
  std::vector<std::uint32_t> out;
  const json::Value lines = from.find(name).value_or(json::Value());
  for (const json::Value line : lines.elements()) {
    out.push_back(static_cast<std::uint32_t>(line.as_int64().value_or(0)));
  }
  return out;
}

std::uint32_t line_at(json::Value from, std::string_view name) {
  return static_cast<std::uint32_t>(from.find(name).value_or(json::Value()).as_int64().value_or(0));
}

RuleBody read_body(json::Value from) {
  RuleBody out;
  out.rule = from.string_at("rule").value_or("");
  out.kind = from.string_at("kind").value_or("");
  out.line = line_at(from, "line");
  out.last_line = line_at(from, "last_line");
  out.reached = lines_at(from, "reached");
  out.not_reached = lines_at(from, "not_reached");
  out.holds = from.find("holds").value_or(json::Value()).as_bool();
  return out;
}

}  // namespace

double percent_reached(const std::vector<FileCoverage>& files) noexcept {
  std::size_t all = 0;
  std::size_t reached = 0;
  for (const FileCoverage& file : files) {
    all += file.lines();
    reached += file.reached.size();
  }
  return all == 0 ? 100.0 : 100.0 * static_cast<double>(reached) / static_cast<double>(all);
}

void note_lines(PolicyEngine& engine, bool on) {
  if (SpEngine* const handle = engine.handle()) sp_policy_set_coverage(handle, on ? 1 : 0);
}

Result<std::vector<FileCoverage>> reached_lines(PolicyEngine& engine, const Question* question,
                                                std::chrono::nanoseconds budget) {
  SpEngine* const handle = engine.handle();
  if (handle == nullptr) return fail(Code::internal, "no policy is in force");
  const SpView input = question != nullptr ? view(question->input_json) : SpView{nullptr, 0};
  const SpView arguments =
      question != nullptr && question->arguments_json ? view(*question->arguments_json) : SpView{nullptr, 0};
  SpText report{};
  SpText error{};
  const auto status = sp_policy_coverage(
      handle, input, arguments, static_cast<std::uint64_t>(std::max<std::int64_t>(budget.count(), 1)), &report, &error);
  const std::string text = take(report);
  const std::string wrong = take(error);
  if (status != SP_POLICY_OK) return fail(Code::internal, "coverage: " + wrong);
  SP_TRY(const json::Document document, json::read(text, {.bytes_max = kReportBytesMax}));
  std::vector<FileCoverage> out;
  for (const json::Value from : document.root().elements()) {
    FileCoverage file;
    file.file = from.string_at("file").value_or("");
    file.reached = lines_at(from, "reached");
    file.not_reached = lines_at(from, "not_reached");
    const json::Value bodies = from.find("bodies").value_or(json::Value());
    for (const json::Value body : bodies.elements()) file.bodies.push_back(read_body(body));
    out.push_back(std::move(file));
  }
  return out;
}

}  // namespace sallyport::policy
