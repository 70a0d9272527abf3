// OPA's own conformance cases through our wrapper (issue 5): the pass rate is printed, and what fails is exactly the table in
// docs/policy.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>

#include "engines/policy/policy.h"
#include "json/canonical.h"
#include "json/document.h"
#include "json/test_archive.h"

namespace sallyport::policy {
namespace {

using namespace std::chrono_literals;

using Failures = std::map<std::string, int>;  // by folder

// `sorted`: the order of arrays does not count (sort_bindings, and sets, which JSON has as arrays).
std::string plain(json::Value value, bool sorted) {
  if (!value.is_array()) return json::canonical(value);
  std::vector<std::string> parts;
  for (const json::Value one : value.elements()) parts.push_back(plain(one, sorted));
  if (sorted) std::ranges::sort(parts);
  std::string out = "[";
  for (const std::string& part : parts) out += part + ",";
  return out + "]";
}

std::string plain_bindings(json::Value object, bool sorted) {
  std::map<std::string, std::string> members;
  for (const auto& [key, value] : object.members()) members[std::string(key)] = plain(value, sorted);
  std::string out;
  for (const auto& [key, value] : members) out += key + "=" + value + ";";
  return out;
}

// A result with a false expression is none.
bool holds(json::Value result) {
  for (const json::Value one : result.find("expressions")->elements()) {
    if (one.find("value")->as_bool() == false) return false;
  }
  return true;
}

Modules modules_of(json::Value test) {
  Modules modules;
  for (const json::Value source : test.find("modules")->elements())
    modules.emplace_back("m" + std::to_string(modules.size()) + ".rego", *source.as_string());
  return modules;
}

std::string input_of(json::Value test) {
  const auto input = test.find("input");
  return input ? std::string(input->raw()) : "";
}

// An input that is no JSON (a set) is given as a term.
std::string query_of(json::Value test) {
  std::string query(*test.string_at("query"));
  if (const auto term = test.string_at("input_term")) query.append(" with input as ").append(*term);
  return query;
}

bool names_no_builtin(const Error& error) { return error.detail.find("could not find function") != std::string::npos; }

// What went wrong; empty where the case passes. `absent`: an error was wanted, and it came since the builtin is not there.
std::string run_case(json::Value test, bool& absent) {
  const auto want = test.find("want_result");
  PolicyEngine engine;
  const auto data = test.find("data");
  const bool has_data = data && data->is_object();
  if (auto used = engine.use_all(modules_of(test), has_data ? data->raw() : "{}"); !used) {
    absent = !want && names_no_builtin(used.error());
    return want ? used.error().detail : "";
  }
  const auto strict = test.find("strict_error");
  engine.set_strict(strict && strict->as_bool() == true);
  const auto answer = engine.query(query_of(test), input_of(test), 5s);
  if (!answer) {
    absent = !want && names_no_builtin(answer.error());
    return want ? answer.error().detail : "";
  }
  if (!want) return "no error";
  const auto document = json::read_upstream_document(*answer, {.bytes_max = 16U << 20});
  if (!document) return document.error().detail;
  const bool sorted = test.find("sort_bindings").has_value();
  std::vector<std::string> got;
  for (const json::Value result : document->root().elements()) {
    if (holds(result)) got.push_back(plain_bindings(*result.find("bindings"), sorted));
  }
  std::vector<std::string> wanted;
  for (const json::Value one : want->elements()) wanted.push_back(plain_bindings(one, sorted));
  std::ranges::sort(got);
  std::ranges::sort(wanted);
  return got == wanted ? "" : "answers " + *answer;
}

// The rows `| folder | failed | ...` of docs/policy.md.
Failures documented() {
  std::istringstream in(sallyport::testing::read_file(std::string(SALLYPORT_SOURCE_DIR) + "/docs/policy.md"));
  Failures out;
  std::string line;
  bool inside = false;
  while (std::getline(in, line)) {
    if (line.starts_with("<!-- rego-cases")) inside = line.find("end") == std::string::npos;
    if (!inside || !line.starts_with("| `")) continue;
    std::istringstream row(line);
    std::string bar;
    std::string name;
    int count = 0;
    row >> bar >> name >> bar >> count;
    out[name.substr(1, name.size() - 2)] = count;
  }
  return out;
}

TEST(PolicyCases, FailWhereTheDocumentationSaysSo) {
  const sallyport::testing::Archive archive("rego-cases.tar.gz");
  if (!archive.present()) GTEST_SKIP() << "../shared/data/rego-cases.tar.gz is not beside the clone";
  Failures failed;
  int cases = 0;
  int passed = 0;
  int by_absence = 0;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(archive.folder()))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto& path : files) {
    const auto document = json::read_upstream_document(sallyport::testing::read_file(path), {.bytes_max = 16U << 20});
    ASSERT_TRUE(document) << path << document.error().detail;
    for (const json::Value test : document->root().find("cases")->elements()) {
      ++cases;
      bool absent = false;
      const std::string wrong = run_case(test, absent);
      by_absence += absent ? 1 : 0;
      if (wrong.empty()) {
        ++passed;
        continue;
      }
      ++failed[path.parent_path().filename().string()];
      if (std::getenv("SHOW_CASES") != nullptr)
        std::printf("%s: %s\n", std::string(*test.string_at("note")).c_str(), wrong.c_str());
    }
  }
  std::printf("Rego cases of OPA: %d of %d passed, %d of them want an error and find the builtin absent\n", passed,
              cases, by_absence);
  EXPECT_GT(cases, 1000);
  EXPECT_EQ(failed, documented());
}

}  // namespace
}  // namespace sallyport::policy
