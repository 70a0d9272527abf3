// Budget: about 1 us for a call of 1 KB, minifying and the duplicate check included (design, section 5).
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include "json/canonical.h"
#include "json/document.h"
#include "json/slice.h"

namespace sallyport::json {
namespace {

std::string call(std::size_t bytes, bool spaced) {
  std::string text = R"({"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"name":"search_issues","arguments":{)"
                     R"("query":"label:bug is:open","limit":50,"verbose":true,"ratio":0.75,"tags":["a","b","c"],)"
                     R"("options":{"sort":"created","order":"desc","page":2,"archived":null},"items":[)";
  for (int i = 0; text.size() + 90 < bytes; ++i) {
    text += R"({"path":"/srv/demo/readme.md","line":)" + std::to_string(i) + R"(,"text":"the quick brown fox"},)";
  }
  text += R"({"path":"end"}]},"_meta":{"progressToken":"p1"}}})";
  return spaced ? pretty(text) : text;
}

void Read(benchmark::State& state) {
  const std::string text = call(static_cast<std::size_t>(state.range(0)), state.range(1) != 0);
  for (auto _ : state) {
    auto document = read(text);
    benchmark::DoNotOptimize(document->root().find("params")->find("arguments"));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(Read)->Args({1'000, 0})->Args({10'000, 0})->Args({100'000, 0})->Args({1'000, 1});

// The limit of threats.md, section 4: 50 ms for a megabyte of anything; many keys in one object are the worst.
void MegabyteOfKeys(benchmark::State& state) {
  std::string text = "{";
  for (int i = 0; text.size() < 990'000; ++i) text += "\"" + std::to_string(i) + "\":1,";
  text += "\"end\":1}";
  for (auto _ : state) benchmark::DoNotOptimize(read(text));
}
BENCHMARK(MegabyteOfKeys)->Unit(benchmark::kMillisecond);

// The yardstick: simdjson's DOM and minifier with a warm parser, without any duplicate check.
void Simdjson(benchmark::State& state) {
  const simdjson::padded_string text(call(static_cast<std::size_t>(state.range(0)), false));
  simdjson::dom::parser parser;
  std::string minified(text.size() + 64, '\0');
  for (auto _ : state) {
    auto root = parser.parse(text).value();
    std::size_t length = 0;
    (void)simdjson::minify(text.data(), text.size(), minified.data(), length);
    benchmark::DoNotOptimize(root["params"]["arguments"]);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(Simdjson)->Arg(1'000)->Arg(10'000);

void SliceMember(benchmark::State& state) {
  const std::string text = call(static_cast<std::size_t>(state.range(0)), false);
  for (auto _ : state) benchmark::DoNotOptimize(member(*member(text, "params"), "_meta"));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(SliceMember)->Arg(1'000)->Arg(10'000);

}  // namespace
}  // namespace sallyport::json
