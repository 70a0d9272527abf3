// Budget: 5 us a decision with the shipped policies and 1 KB of arguments (issue 5).
#include <benchmark/benchmark.h>

#include "engines/decide/decide_fixture.h"

namespace {

using namespace sallyport;

std::string one_kilobyte() {
  std::string text = "{";
  for (int i = 0; text.size() < 990; ++i) {
    if (i > 0) text += ',';
    text += "\"field" + std::to_string(i) + "\":" + (i % 3 == 0 ? std::to_string(i * 17) : "\"some text of a value\"");
  }
  return text + "}";
}

void run(benchmark::State& state, const Snapshot& snapshot, DeciderSettings settings) {
  Decider decider(settings);
  const ToolRecord tool = test::tool_named("calculator", "add");
  Principal agent = test::principal_with({"agent"});
  agent.grants = {{Permission::tool_execute, "calculator", "*"}};
  const std::string arguments = one_kilobyte();
  for (auto _ : state) {
    const Decision decision =
        decider.decide(snapshot, {.principal = agent, .server = nullptr, .tool = &tool, .arguments_json = arguments});
    if (!decision.allow) state.SkipWithError(decision.evidence.c_str());
  }
}

void shipped_each_time(benchmark::State& state) { run(state, test::shipped(), {.memo_entries = 0}); }
BENCHMARK(shipped_each_time);

void shipped_remembered(benchmark::State& state) { run(state, test::shipped(), {}); }
BENCHMARK(shipped_remembered);

// The shipped rules, and one on arguments: parses the 1 KB each time.
void reading_arguments(benchmark::State& state) {
  policy::Modules modules = policy::shipped_policies();
  modules.emplace_back("limits.rego",
                       "package tool_access\nimport rego.v1\ndeny contains \"too much\" if input.arguments.amount > 100\n");
  run(state, test::snapshot_with(modules), {});
}
BENCHMARK(reading_arguments);

}  // namespace
