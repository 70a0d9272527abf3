// bench/policy, our side: one decision with the shipped policies, RBAC and 1 KB of arguments, and a list of 10,000 tools with
// 1,000 roles. Prints JSON; with a folder as its argument it writes the modules and the input there instead, for OPA.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "engines/decide/decide_fixture.h"
#include "engines/decide/input.h"
#include "engines/rbac/rbac.h"

namespace {

using namespace sallyport;
using Clock = std::chrono::steady_clock;

constexpr int kRoles = 1'000;
constexpr int kServers = 100;
constexpr int kToolsEach = 100;

std::string one_kilobyte() {
  std::string text = "{";
  for (int i = 0; text.size() < 990; ++i) {
    if (i > 0) text += ',';
    text += "\"field" + std::to_string(i) + "\":" + (i % 3 == 0 ? std::to_string(i * 17) : "\"some text of a value\"");
  }
  return text + "}";
}

// The shipped rules, and one on arguments.
policy::Modules with_limit() {
  policy::Modules modules = policy::shipped_policies();
  modules.emplace_back(
      "limits.rego",
      "package tool_access\nimport rego.v1\ndeny contains \"too much\" if input.arguments.amount > 100\n");
  return modules;
}

struct Call {
  Principal principal = test::principal_with({"agent"});
  ToolRecord tool = test::tool_named("calculator", "add");
  std::string arguments = one_kilobyte();
  Call() { principal.grants = {{Permission::tool_execute, "calculator", "*"}}; }
  [[nodiscard]] AccessRequest request() const {
    return {.principal = principal, .tool = &tool, .arguments_json = arguments};
  }
};

void print(const char* name, std::vector<std::int64_t> ns) {
  std::ranges::sort(ns);
  const auto at = [&](double share) {
    return static_cast<double>(ns[static_cast<std::size_t>(share * static_cast<double>(ns.size() - 1))]) / 1e3;
  };
  std::printf("  \"%s\": {\"p50\": %.3f, \"p99\": %.3f},\n", name, at(0.5), at(0.99));
}

void decisions(const char* name, const Snapshot& snapshot, std::size_t memo_entries, std::size_t record_bytes = 0) {
  Decider decider(DeciderSettings{.memo_entries = memo_entries, .record_bytes = record_bytes});
  const Call call;
  const int count = 30'000;
  std::vector<std::int64_t> ns;
  for (int i = -2'000; i < count; ++i) {
    const auto start = Clock::now();
    const Decision decision = decider.decide(snapshot, call.request());
    const auto took = Clock::now() - start;
    if (!decision.allow) std::exit((std::fprintf(stderr, "%s: denied: %s\n", name, decision.evidence.c_str()), 1));
    if (i >= 0) ns.push_back(took.count());
  }
  print(name, std::move(ns));
}

Snapshot many() {
  Roles roles;
  for (int i = 0; i < kRoles; ++i) {
    const std::string name = "role" + std::to_string(i);
    roles[name] = {name,
                   {Permission::tool_read},
                   {{Permission::tool_execute, "server" + std::to_string(i % kServers), "tool*"}},
                   {}};
  }
  return test::snapshot_with(policy::shipped_policies(), std::move(roles));
}

// The first list and the same again, in milliseconds.
void lists(const char* name, int roles_held) {
  const Snapshot snapshot = many();
  std::vector<ToolRecord> tools;
  for (int s = 0; s < kServers; ++s) {
    for (int t = 0; t < kToolsEach; ++t) {
      tools.push_back(test::tool_named("server" + std::to_string(s), "tool" + std::to_string(t), t % 3));
    }
  }
  std::vector<std::string> held;
  for (int i = 0; i < roles_held; ++i) held.push_back("role" + std::to_string(i * kRoles / roles_held));
  const Principal principal = test::principal_with(std::move(held));
  Decider decider;
  std::printf("  \"%s\": {", name);
  int listed = 0;
  for (const char* round : {"first", "again"}) {
    const auto start = Clock::now();
    listed = 0;
    for (const ToolRecord& tool : tools) {
      listed += decider.decide(snapshot, {.principal = principal, .tool = &tool, .phase = Phase::list}).allow ? 1 : 0;
    }
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    std::printf("\"%s\": %.2f, ", round, ms);
  }
  std::printf("\"listed\": %d},\n", listed);
}

void dump(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, source] : with_limit()) std::ofstream(folder / name) << source;
  const Call call;
  std::string input;
  const auto held = rbac::effective_on(call.principal, Roles{}, call.tool.server, call.tool.name, Channel::mcp);
  decide_internal::write_input(test::shipped(), call.request(), held, {}, input);
  input.insert(input.size() - 1, ",\"arguments\":" + call.arguments);
  std::ofstream(folder / "input.json") << input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2) {
    dump(argv[1]);
    return 0;
  }
  std::printf("{\n");
  decisions("shipped_evaluated", test::shipped(), 0);
  decisions("shipped_remembered", test::shipped(), 4096);
  decisions("shipped_remembered_recorded", test::shipped(), 4096, 1U << 20U);  // a question that is kept already
  decisions("arguments_evaluated", test::snapshot_with(with_limit()), 0);
  decisions("arguments_remembered", test::snapshot_with(with_limit()), 4096);
  lists("list_of_10_roles", 10);
  lists("list_of_1000_roles", kRoles);
  std::printf("  \"unit\": \"us; lists: ms\"\n}\n");
}
