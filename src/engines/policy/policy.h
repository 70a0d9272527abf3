// Rego in the process (S0-11): the modules of a PolicySet, compiled once off the workers, asked on every request. One
// PolicyEngine a worker, not thread-safe; Compiled, check() and analyse() are for any thread. A policy has no effects (no http.send, no
// opa.runtime) and a budget of time; whatever goes wrong is an Error, which the caller turns into a denial. Input is at
// most 128 deep and 16 MiB.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "engines/policy/reads.h"
#include "model/snapshot.h"

struct SpEngine;  // of the C header of rust/

namespace sallyport::policy {

// The files of policies/ that are no tests, as built into the program: for a home without a folder of its own.
const Modules& shipped_policies();

struct PolicyAnswer {
  bool allow = false;                     // data.<package>.allow is true
  bool deny = false;                      // data.<package>.deny is true, a non-empty collection, or of another type
  std::vector<std::string> deny_reasons;  // the strings in it
  std::string obligations;                // data.<package>.obligations as JSON; empty: none, or not asked for
  [[nodiscard]] bool allowed() const noexcept { return allow && !deny; }
};

struct CompileError {
  std::string file;
  std::uint32_t line = 0;    // from 1; 0: unknown
  std::uint32_t column = 0;
  std::string message;
};

// The first error of `modules`, parsed and compiled as v1 and, file by file, else as v0; none where all is well.
std::optional<CompileError> check(const Modules& modules);

// Files whose name ends in _test.rego decide nothing: PolicyEngine passes them over.
bool is_test_file(std::string_view name) noexcept;

// The package that a source declares ("tool_access", "lib.times"); empty where it declares none.
std::string package_of(std::string_view source);
// Each package that `modules` declare, and the files of it; those of tests are passed over.
std::map<std::string, std::vector<std::string>> packages_of(const Modules& modules);

// The packages that decisions ask.
inline constexpr std::array<std::string_view, 2> kAskedPackages{"tool_access", "admin_access"};
// Those of them that are in none of the modules; empty: both are there.
// Whatever a package is asked that is missing is refused, to those who could mend it too.
std::vector<std::string_view> missing_packages(const Modules& modules);

// Modules without their tests, compiled. Immutable: engines copy it (about 20 us), from any thread.
class Compiled {
 public:
  // Error: Code::config with file, line, column and message of the first fault.
  static Result<std::shared_ptr<const Compiled>> of(const Modules& modules);
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled();

 private:
  friend class PolicyEngine;
  struct Impl;
  explicit Compiled(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class PolicyEngine {
 public:
  PolicyEngine();
  PolicyEngine(PolicyEngine&&) noexcept;
  PolicyEngine& operator=(PolicyEngine&&) noexcept;
  ~PolicyEngine();

  // Puts `policy` in force unless its epoch is: a copy of what is compiled, else compiles. The one before is kept, for requests
  // that began under it. On error nothing is in force: every evaluation fails.
  Result<void> use(const PolicySet& policy);
  // As use(), whatever the epoch, with the _test.rego files and with `data_json` (an object) under `data`.
  Result<void> use_all(const Modules& modules, std::string_view data_json = "{}");
  // Not strict: an error of a builtin makes its expression undefined, as in OPA. Lasts until the next use. Decisions are strict.
  void set_strict(bool strict);
  [[nodiscard]] const Reads& reads() const noexcept;

  // Asks `package` ("tool_access"). `input_json` is an object; `arguments_json`, where not absent, is parsed as a document
  // of its own and put under `input.arguments`: its bytes cannot reach any other part of the input. The obligations are
  // asked for where `with_obligations` and the answer is yes.
  // Errors: Code::internal (no such package, error inside a rule, over the budget, input not JSON).
  Result<PolicyAnswer> evaluate(std::string_view package, std::string_view input_json,
                                std::optional<std::string_view> arguments_json, std::chrono::nanoseconds budget,
                                bool with_obligations = false);

  // Any query against the modules, for `policy eval` and `policy test`; the input is any JSON, or "" for none: the JSON array of its results, each
  // {"expressions":[{"value":..,"text":..}],"bindings":{..}}; "[]" where it is undefined.
  Result<std::string> query(std::string_view query, std::string_view input_json, std::chrono::nanoseconds budget);

  [[nodiscard]] SpEngine* handle() noexcept;  // for coverage.h alone; null: nothing is in force

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sallyport::policy
