// What a set of policies is worth before it is in force, for `policy check` and `policy test`: does it compile, does it answer
// what Sallyport asks, do its own tests hold and what of it do they reach? Pure; any thread, for as long as the tests take.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "engines/policy/coverage.h"
#include "engines/policy/policy.h"

namespace sallyport::policy {

struct TestResult {
  std::string name;  // "tool_access_test.test_admin_any_level"
  bool passed = false;
  std::string why;  // the error; empty where the test is only not true
};

struct Trial {
  std::optional<CompileError> fault;
  std::vector<std::string> notes;  // what will surprise: a package that is asked and not there denies everything
  std::vector<TestResult> tests;
  std::vector<FileCoverage> coverage;  // of the tests, by file; tests left out
};

enum class Wish : unsigned char { check, tests, coverage };

// A test is a rule of a _test.rego file whose name begins with "test_" at the start of a line; it passes where it is true. As with
// OPA, an error of a builtin makes its expression undefined. `budget`: of each test.
Trial try_out(const Modules& modules, Wish wish, std::chrono::nanoseconds budget);

}  // namespace sallyport::policy
