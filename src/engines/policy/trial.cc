#include "engines/policy/trial.h"

#include <algorithm>
#include <array>

#include "engines/policy/reads.h"

namespace sallyport::policy {
namespace {

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

// Each once, in the order of the source.
std::vector<std::string> tests_of(std::string_view source) {
  std::vector<std::string> out;
  while (!source.empty()) {
    const std::string_view line = source.substr(0, source.find('\n'));
    source.remove_prefix(std::min(line.size() + 1, source.size()));
    if (!line.starts_with("test_")) continue;
    const auto end = std::ranges::find_if_not(line, is_name);
    std::string name(line.begin(), end);
    if (std::ranges::find(out, name) == out.end()) out.push_back(std::move(name));
  }
  return out;
}

TestResult run_test(PolicyEngine& engine, const std::string& name, std::chrono::nanoseconds budget) {
  const auto answer = engine.query("data." + name + " == true", "", budget);
  if (!answer) return {name, false, answer.error().detail};
  return {name, answer->find("\"value\":true") != std::string::npos, ""};
}

// The name of a key is what its maker wrote, which may be somebody's.
void note_names(const Modules& modules, Trial& trial) {
  for (const auto& module : modules) {
    if (is_test_file(module.first)) continue;
    const Reads reads = analyse({module});
    if (!reads.has(Field::user_name) || reads.has(Field::user_kind) || reads.has(Field::user_id)) continue;
    trial.notes.push_back(
        module.first + " reads input.user.name and not input.user.kind: who may make keys may name one like a person; "
                       "go by input.user.id, or ask for the kind too");
  }
}

void add_coverage(PolicyEngine& engine, std::chrono::nanoseconds budget, Trial& trial) {
  auto files = reached_lines(engine, nullptr, budget);
  if (!files) {
    trial.fault = CompileError{.message = files.error().detail};
    return;
  }
  std::erase_if(*files, [](const FileCoverage& file) { return is_test_file(file.file); });
  trial.coverage = std::move(*files);
}

}  // namespace

Trial try_out(const Modules& modules, Wish wish, std::chrono::nanoseconds budget) {
  Trial trial;
  trial.fault = check(modules);
  if (trial.fault) return trial;
  for (const std::string_view package : missing_packages(modules)) {
    trial.notes.push_back("no package " + std::string(package) +
                          ": as the home's folder or a bundle these are not put in force");
  }
  note_names(modules, trial);
  if (wish == Wish::check) return trial;
  PolicyEngine engine;
  if (const auto used = engine.use_all(modules); !used) {
    trial.fault = CompileError{.message = used.error().detail};
    return trial;
  }
  engine.set_strict(false);
  if (wish == Wish::coverage) note_lines(engine, true);
  for (const auto& [file, source] : modules) {
    if (!is_test_file(file)) continue;
    for (const std::string& name : tests_of(source)) {
      trial.tests.push_back(run_test(engine, package_of(source) + "." + name, budget));
    }
  }
  if (wish == Wish::coverage) add_coverage(engine, budget, trial);
  return trial;
}

}  // namespace sallyport::policy
