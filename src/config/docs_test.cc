#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "config/config.h"
#include "config/table.h"
#include "json/document.h"

namespace sallyport::config {
namespace {

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// style.md, rules 8 and 10. SALLYPORT_WRITE_DOCS=1 writes it anew.
TEST(ConfigDocs, ReferencePageIsTheOneOfTheTable) {
  const std::string path = std::string(SALLYPORT_SOURCE_DIR) + "/docs/reference/config.md";
  if (std::getenv("SALLYPORT_WRITE_DOCS") != nullptr) std::ofstream(path, std::ios::binary) << reference_markdown();
  EXPECT_EQ(read(path), reference_markdown()) << "stale: run SALLYPORT_WRITE_DOCS=1 sp_config_tests";
}

TEST(ConfigDocs, EveryRowIsDocumentedOnceAndItsNamesAreItsOwn) {
  std::set<std::string> seen;
  for (const Row& row : table()) {
    EXPECT_TRUE(seen.insert(row.path).second) << row.path;
    EXPECT_TRUE(seen.insert(own_env_name(row.path)).second) << row.path;
    for (const EnvName& name : row.env) EXPECT_TRUE(seen.insert(std::string(name.name)).second) << name.name;
    EXPECT_TRUE(row.doc.ends_with('.')) << row.path;
    if (row.type == Type::integer) EXPECT_LT(row.min, row.max) << row.path;
  }
}

TEST(ConfigDocs, SchemaKnowsEverySettingAndNoOther) {
  const auto schema = json::read(json_schema());
  ASSERT_TRUE(schema) << schema.error().detail;
  for (const Row& row : table()) {
    json::Value at = schema->root();
    std::string_view rest = row.path;
    while (!rest.empty()) {
      const std::string_view name = rest.substr(0, rest.find('.'));
      rest.remove_prefix(std::min(name.size() + 1, rest.size()));
      EXPECT_EQ(at.find("additionalProperties")->as_bool(), false);
      at = at.find("properties").value_or(json::Value()).find(name).value_or(json::Value());
      ASSERT_TRUE(at.is_object()) << row.path;
    }
    EXPECT_EQ(at.string_at("description"), row.doc);
  }
}

TEST(ConfigDocs, ExplainShowsValuesAndWhereTheyCameFrom) {
  const auto s =
      load_text("listen:\n  port: 9000\nservers:\n  - {name: c, command: [/bin/c], env: {K_TOKEN: '${env:K}'}}\n",
                "sallyport.yaml", "/h", {{"RATE_LIMIT_BURST", "3"}, {"SALLYPORT_NO_SUCH", "k"}});
  ASSERT_TRUE(s) << s.error().detail;
  const std::string text = explain_text(*s);
  std::istringstream lines(text);
  std::map<std::string, std::string> by_path;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string path, word, all;
    words >> path;
    while (words >> word) all += (all.empty() ? "" : " ") + word;
    by_path[path] = all;
  }
  EXPECT_EQ(by_path["listen.address"], "127.0.0.1 default");
  EXPECT_EQ(by_path["listen.port"], "9000 sallyport.yaml:2");
  EXPECT_EQ(by_path["rate.default.burst"], "3 env RATE_LIMIT_BURST");
  EXPECT_EQ(by_path["servers.c.env"], "{K_TOKEN: ${env:K}} sallyport.yaml:4");
  EXPECT_NE(text.find("warning: env SALLYPORT_NO_SUCH is no setting"), std::string::npos);
  EXPECT_TRUE(json::read(explain_json(*s)));
}

// The first lines as they are printed.
TEST(ConfigDocs, ExplainIsAligned) {
  const auto s = load_text("", "sallyport.yaml", "/h", {});
  ASSERT_TRUE(s);
  const std::string text = explain_text(*s);
  EXPECT_TRUE(text.starts_with("listen.address                    127.0.0.1                      default\n"
                               "listen.port                       8000                           default\n"
                               "listen.workers                    0                              default\n"
                               "listen.hosts                      [localhost, 127.0.0.1, [::1]]  default\n"))
      << text.substr(0, 400);
}

}  // namespace
}  // namespace sallyport::config
