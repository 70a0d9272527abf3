// The official suites, every required case of 2020-12 and draft-07 (issue 2, validation), and a small subset of our own
// that stands in the tree.
#include <gtest/gtest.h>

#include "engines/schema/schema.h"
#include "json/document.h"
#include "json/test_archive.h"

namespace sallyport::schema {
namespace {

struct Score {
  int passed = 0;
  int failed = 0;
};

// The suite runs draft-07 without "$schema"; say it, as a client of that time would.
std::string with_dialect(json::Value schema, bool draft7) {
  if (!draft7 || !schema.is_object() || schema.find("$schema")) return std::string(schema.raw());
  const std::string rest(schema.raw().substr(1));
  return R"({"$schema":"http://json-schema.org/draft-07/schema#")" + std::string(schema.size() > 0 ? "," : "") + rest;
}

void run_group(json::Value group, bool draft7, const CompileLimits& limits, const std::string& where, Score& score) {
  const std::string name = where + ": " + std::string(*group.string_at("description"));
  const auto schema = Schema::compile(with_dialect(*group.find("schema"), draft7), limits);
  if (!schema) {
    ++score.failed;
    ADD_FAILURE() << name << ": " << schema.error().detail;
    return;
  }
  for (const json::Value test : group.find("tests")->elements()) {
    const auto violation = (*schema)->validate(*test.find("data"));
    const bool right = violation.has_value() != *test.find("valid")->as_bool();
    ++(right ? score.passed : score.failed);
    EXPECT_TRUE(right) << name << ": " << *test.string_at("description") << ": "
                       << (violation ? violation->keyword + " at " + violation->path : "accepted");
  }
}

void run_file(const std::filesystem::path& path, bool draft7, const CompileLimits& limits, Score& score) {
  const auto groups = json::read(sallyport::testing::read_file(path));
  ASSERT_TRUE(groups) << path << groups.error().detail;
  for (const json::Value group : groups->root().elements())
    run_group(group, draft7, limits, path.filename().string(), score);
}

void run_suite(const std::string& dialect, int expected) {
  const sallyport::testing::Archive archive("json-schema-test-suite.tar.gz");
  if (!archive.present()) GTEST_SKIP() << "../shared/data/json-schema-test-suite.tar.gz is not beside the clone";
  CompileLimits limits;
  limits.resolver = [&archive](std::string_view uri) -> std::optional<std::string> {
    constexpr std::string_view kHost = "http://localhost:1234/";
    if (!uri.starts_with(kHost)) return std::nullopt;
    const auto file = archive.folder() / "remotes" / uri.substr(kHost.size());
    if (!std::filesystem::is_regular_file(file)) return std::nullopt;
    return sallyport::testing::read_file(file);
  };
  Score score;
  for (const auto& entry : std::filesystem::directory_iterator(archive.folder() / "tests" / dialect)) {
    if (entry.is_regular_file()) run_file(entry.path(), dialect == "draft7", limits, score);
  }
  std::printf("JSON Schema %s: %d passed, %d failed\n", dialect.c_str(), score.passed, score.failed);
  EXPECT_EQ(score.failed, 0);
  EXPECT_EQ(score.passed, expected);
}

TEST(SchemaSuite, PassesEveryRequiredCaseOf202012) { run_suite("draft2020-12", 1299); }
TEST(SchemaSuite, PassesEveryRequiredCaseOfDraft07) { run_suite("draft7", 927); }

TEST(SchemaSuite, PassesOurOwnCases) {
  Score score;
  run_file(std::string(SALLYPORT_SOURCE_DIR) + "/src/engines/schema/cases.json", false, {}, score);
  EXPECT_EQ(score.failed, 0);
  EXPECT_GT(score.passed, 40);
}

}  // namespace
}  // namespace sallyport::schema
