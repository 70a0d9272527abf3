// The decision table of S0-12 and S0-13 (C20) with the policies that ship: tests/support/decision_table.tsv, whose answers
// were not made by this program. tests/e2e/opa_table_test.py asks the same of an OPA server.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "engines/decide/decide_fixture.h"

namespace sallyport {
namespace {

struct Row {
  std::vector<std::string> roles;
  bool granted = false;
  Permission permission{};
  int level = -1;  // -1: no tool
  bool allow = false;
};

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) out.push_back(part);
  return out;
}

Permission permission_named(const std::string& name) {
  const auto at = std::ranges::find(kPermissionNames, name);
  EXPECT_NE(at, kPermissionNames.end()) << name;
  return static_cast<Permission>(at - kPermissionNames.begin());
}

std::vector<Row> table() {
  std::ifstream file(std::string(SALLYPORT_SOURCE_DIR) + "/tests/support/decision_table.tsv");
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const auto cells = split(line, '\t');
    EXPECT_EQ(cells.size(), 5U) << line;
    if (cells.size() != 5) break;
    rows.push_back({split(cells[0], ','), cells[1] == "granted", permission_named(cells[2]),
                    cells[3] == "-" ? -1 : std::stoi(cells[3]), cells[4] == "allow"});
  }
  return rows;
}

TEST(DecisionTable, HoldsForAllRolesMixturesLevelsAndGrants) {
  Roles roles;
  roles["operator"] = {"operator", {Permission::tool_read, Permission::tool_execute}, {}, {}};
  const Snapshot snapshot = test::snapshot_with(policy::shipped_policies(), roles);
  Decider decider;
  std::size_t allowed = 0;
  const auto rows = table();
  for (const Row& row : rows) {
    Principal principal = test::principal_with(row.roles);
    if (row.granted) principal.grants = {{Permission::tool_execute, "calc", "add"}};
    const ToolRecord tool = test::tool_named("calc", "add", row.level);
    AccessRequest request{.principal = principal, .action = row.permission};
    if (row.level >= 0) request.tool = &tool;
    for (const Phase phase : {Phase::list, Phase::call}) {
      request.phase = phase;
      EXPECT_EQ(decider.decide(snapshot, request).allow, row.allow)
          << ::testing::PrintToString(row.roles) << (row.granted ? " granted " : " ") << name_of(row.permission)
          << " level " << row.level;
    }
    allowed += row.allow ? 1 : 0;
  }
  EXPECT_EQ(rows.size(), 37U * (11 * 2 * 2 + 7));  // a table that was cut proves nothing
  EXPECT_GT(allowed, 300U);
}

// The lines of C20 that name a right and not a role: a user without tool:execute is denied by the policy itself.
TEST(DecisionTable, AUserWithoutTheRightIsDeniedByThePolicyItself) {
  policy::PolicyEngine engine;
  ASSERT_TRUE(engine.use(*test::shipped().policy));
  const auto asked = [&](const char* permissions) {
    return engine.evaluate("tool_access",
                           std::string(R"({"action":"execute","tool":{"security_level":1},"user":{"roles":["user"],)") +
                               R"("permissions":)" + permissions + "}}",
                           std::nullopt, std::chrono::seconds(1));
  };
  EXPECT_TRUE(asked(R"(["tool:read","tool:execute"])")->allowed());
  EXPECT_FALSE(asked(R"(["tool:read"])")->allowed());
}

}  // namespace
}  // namespace sallyport
