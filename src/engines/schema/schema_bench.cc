// Budget: 1 us a call (design, section 5); the goal for a usual tool is a few hundred nanoseconds.
#include <benchmark/benchmark.h>

#include "engines/schema/schema.h"
#include "json/document.h"

namespace sallyport::schema {
namespace {

void run(benchmark::State& state, std::string_view schema_text, std::string_view instance) {
  const auto schema = Schema::compile(schema_text);
  const auto document = json::read(instance);
  if (!schema || !document) return state.SkipWithError("does not compile");
  for (auto _ : state) benchmark::DoNotOptimize((*schema)->validate(document->root()));
}

void Calculator(benchmark::State& state) {
  run(state,
      R"({"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"],)"
      R"("additionalProperties":false})",
      R"({"a":1,"b":2})");
}
BENCHMARK(Calculator);

void IssueSearch(benchmark::State& state) {
  run(state,
      R"({"type":"object","properties":{"query":{"type":"string","minLength":1,"maxLength":256},)"
      R"("limit":{"type":"integer","minimum":1,"maximum":100},)"
      R"("state":{"enum":["open","closed","all"]},"labels":{"type":"array","items":{"type":"string",)"
      R"("pattern":"^[a-z0-9-]+$"},"maxItems":10},)"
      R"("sort":{"anyOf":[{"type":"string"},{"type":"null"}]}},"required":["query"],"additionalProperties":false})",
      R"({"query":"is:open label:bug","limit":50,"state":"open","labels":["bug","p1"],"sort":null})");
}
BENCHMARK(IssueSearch);

}  // namespace
}  // namespace sallyport::schema
