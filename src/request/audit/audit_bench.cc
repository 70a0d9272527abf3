#include <benchmark/benchmark.h>

#include <filesystem>

#include "core/encoding.h"
#include "request/audit/audit.h"
#include "request/audit/line.h"

namespace sallyport::audit {
namespace {

AuditRecord typical() {
  AuditRecord r;
  r.kind = Kind::intent;
  r.time = WallTime(std::chrono::microseconds(1'790'000'000'000'042));
  r.request_id = "Zk3v9aQ2r7Lm0XyB";
  r.event_type = kToolExecution;
  r.principal = "key:abcdefghijkl";
  r.credential_id = "abcdefghijkl";
  r.auth_type = "api_key";
  r.server = "calculator";
  r.tool = "add";
  r.action = "call";
  r.result = "success";
  r.rule_id = "rbac.grant";
  r.client_ip = "127.0.0.1";
  r.method = "POST";
  r.path = "/mcp";
  r.rpc_method = "tools/call";
  r.protocol_version = "2025-11-25";
  r.arguments = R"({"a":1,"b":2,"note":"hello"})";
  r.content_length = 120;
  return r;
}

void format_and_hash(benchmark::State& state) {
  const AuditRecord record = typical();
  std::string out;
  for (auto _ : state) {
    out.assign(1, '\0');
    benchmark::DoNotOptimize(append_line(out, record, 123456));
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(format_and_hash);

// Budget (design, section 5): 2 us a record, 100,000 a second.
void write_one(benchmark::State& state) {
  std::string dir = (std::filesystem::temp_directory_path() / "sallyport-bench-XXXXXX").string();
  if (::mkdtemp(dir.data()) == nullptr) return state.SkipWithError("no folder");
  const SystemClock clock;
  LogOptions options;
  options.dir = dir;
  auto log = AuditLog::open(options, std::move(*crypto::SigningKey::from_seed(as_bytes(std::string(32, 's')))), {}, clock);
  const AuditRecord record = typical();
  for (auto _ : state) {
    if (!(*log)->writer(0).write(record)) state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.iterations());
  std::filesystem::remove_all(dir);
}
BENCHMARK(write_one);

void redact_arguments(benchmark::State& state) {
  const Redactor redactor(Secret(std::string(32, 'k')));
  const std::string json = R"({"to":"someone@example.org","subject":"hello","body":"a line of text that is not long","max_tokens":100})";
  for (auto _ : state) benchmark::DoNotOptimize(redactor.json(json));
}
BENCHMARK(redact_arguments);

void redact_one_secret(benchmark::State& state) {
  const Redactor redactor(Secret(std::string(32, 'k')));
  for (auto _ : state) benchmark::DoNotOptimize(redactor.json(R"({"path":"/x","apiKey":"mcp_0123456789"})"));
}
BENCHMARK(redact_one_secret);

}  // namespace
}  // namespace sallyport::audit
