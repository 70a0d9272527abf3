#include "request/mcp/session.h"

#include <gtest/gtest.h>

#include "core/encoding.h"

namespace sallyport::mcp {
namespace {

ClientSessionPtr session(const std::string& id, const std::string& principal, const std::string& scope) {
  auto who = std::make_shared<Principal>();
  who->id = principal;
  auto out = std::make_shared<ClientSession>();
  out->id = id;
  out->scope = scope;
  out->principal = std::move(who);
  return out;
}

// CVE-2026-33946: a session id replayed by another principal is as unknown as one that never was.
TEST(McpSessions, AForeignSessionIsUnknown) {
  SessionTable table;
  table.put(session("s1", "key:a", ""));
  EXPECT_NE(table.find("s1", "key:a", ""), nullptr);
  EXPECT_EQ(table.find("s1", "key:b", ""), nullptr);
  EXPECT_EQ(table.find("s1", "key:a", "calculator"), nullptr);  // bound to the URL it was made on
  EXPECT_EQ(table.find("s2", "key:a", ""), nullptr);
  EXPECT_EQ(table.find("", "key:a", ""), nullptr);
}

TEST(McpSessions, CountsByPrincipal) {
  SessionTable table;
  table.put(session("1", "key:a", ""));
  table.put(session("2", "key:a", "x"));
  table.put(session("3", "key:b", ""));
  EXPECT_EQ(table.count_of("key:a"), 2U);
  table.erase("1");
  EXPECT_EQ(table.count_of("key:a"), 1U);
  EXPECT_EQ(table.all().size(), 2U);
}

TEST(McpSessions, ThoseOfOnePrincipalAreAtHand) {
  SessionTable table;
  table.put(session("1", "key:a", ""));
  table.put(session("2", "key:b", ""));
  const auto again = session("1", "key:a", "");
  table.put(again);  // HTTP+SSE: initialize puts another object in its place
  ASSERT_EQ(table.of("key:a").size(), 1U);
  EXPECT_EQ(table.of("key:a")[0], again);
  EXPECT_EQ(table.size(), 2U);
  table.erase("1");
  table.erase("1");
  EXPECT_TRUE(table.of("key:a").empty());
  EXPECT_TRUE(table.of("key:c").empty());
  EXPECT_EQ(table.of("key:b").size(), 1U);
}

TEST(McpLogLevels, AreOrdered) {
  EXPECT_EQ(log_level_index("debug"), 0);
  EXPECT_EQ(log_level_index("emergency"), 7);
  EXPECT_EQ(log_level_index("DEBUG"), -1);
  EXPECT_EQ(log_level_index(""), -1);
}

class McpCursors : public ::testing::Test {
 protected:
  std::array<std::byte, 32> key{};
  Cursors cursors{key};
};

TEST_F(McpCursors, RoundTrip) {
  for (const std::size_t offset : {std::size_t{0}, std::size_t{1000}, SIZE_MAX}) {
    EXPECT_EQ(cursors.open("key:a\n\ntools", cursors.make("key:a\n\ntools", offset)).value(), offset);
  }
}

TEST_F(McpCursors, AreBound) {
  const auto cursor = cursors.make("key:a\n\ntools", 1000);
  EXPECT_FALSE(cursors.open("key:b\n\ntools", cursor).has_value());
  EXPECT_FALSE(cursors.open("key:a\n\nprompts", cursor).has_value());
  std::array<std::byte, 32> other{std::byte{1}};
  EXPECT_FALSE(Cursors(other).open("key:a\n\ntools", cursor).has_value());
}

TEST_F(McpCursors, RefuseWhatWasNotMadeHere) {
  const auto good = cursors.make("b", 10);
  for (const std::string& bad : {std::string(), std::string("."), std::string("10"), std::string("10."), "1" + good, "+" + good,
                                 " " + good, good + "x", good.substr(0, good.size() - 1), std::string("99999999999999999999.x")}) {
    const auto opened = cursors.open("b", bad);
    ASSERT_FALSE(opened.has_value()) << bad;
    EXPECT_EQ(opened.error().code, Code::invalid_params);
  }
}

}  // namespace
}  // namespace sallyport::mcp
