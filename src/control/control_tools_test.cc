// What a registered tool may be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/catalogue.h"
#include "control/tool_change.h"
#include "json/slice.h"

namespace sallyport::control {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr WallTime kNow{std::chrono::microseconds(1'790'000'000'000'000)};

ToolRecord fresh(std::string name = "weather") {
  ToolRecord tool;
  tool.server = kRegistry;
  tool.name = tool.exposed_name = std::move(name);
  tool.registration = std::make_shared<const Registration>();
  return tool;
}

ToolBinding endpoint(std::string url, bool allow_private = false, std::map<std::string, std::string> headers = {}) {
  auto record = std::make_shared<ServerRecord>();
  record->transport = Transport::http;
  record->url = std::move(url);
  record->allow_private = allow_private;
  record->headers = std::move(headers);
  return {"", "", std::move(record)};
}

std::string why(const Result<ToolRecord>& tool) {
  EXPECT_FALSE(tool.has_value());
  EXPECT_TRUE(tool || tool.error().code == Code::validation);
  return tool ? "" : tool.error().detail;
}

TEST(RegisteredTool, IsADefinitionOfMcp) {
  ToolChange what;
  what.title = "Weather";
  what.description = "of \"today\"";
  what.schema = R"({"type":"object","required":["city"]})";
  const auto tool = changed_tool(fresh(), what, kNow);
  ASSERT_TRUE(tool) << tool.error().detail;
  EXPECT_EQ(tool->definition, R"({"name":"weather","title":"Weather","description":"of \"today\"",)"
                              R"("inputSchema":{"type":"object","required":["city"]}})");
  EXPECT_EQ(tool->updated_at, kNow);
  EXPECT_THAT(tool->digest, SizeIs(64));
}

TEST(RegisteredTool, KeepsWhatTheChangeLeavesOut) {
  ToolChange first;
  first.version = "1.0";
  first.tags = {"a"};
  first.schema = R"({"type":"object","maxProperties":3})";
  first.binding = ToolBinding{"calc", "add", nullptr};
  const auto before = changed_tool(fresh(), first, kNow);
  ToolChange second;
  second.description = "new";
  const auto after = changed_tool(*before, second, kNow);
  EXPECT_EQ(after->registration->version, "1.0");
  EXPECT_THAT(after->registration->tags, ::testing::ElementsAre("a"));
  EXPECT_EQ(after->registration->bound_tool, "add");
  EXPECT_EQ(json::member(after->definition, "inputSchema"), R"({"type":"object","maxProperties":3})");
  EXPECT_NE(after->digest, before->digest);
  ToolChange third;
  third.binding = ToolBinding{};
  EXPECT_FALSE(changed_tool(*after, third, kNow)->registration->bound());
}

TEST(RegisteredToolAbuse, Names) {
  for (const char* name : {"", " a", "a ", "a/b", "registry/x", "a\nb", "search", "\x7f"}) {
    EXPECT_THAT(why(changed_tool(fresh(name), {}, kNow)), Not(IsEmpty())) << name;
  }
  EXPECT_THAT(why(changed_tool(fresh(std::string(256, 'a')), {}, kNow)), HasSubstr("255"));
  EXPECT_TRUE(changed_tool(fresh(std::string(255, 'a')), {}, kNow)) << "S1: a catalogue entry has 255";
  EXPECT_TRUE(changed_tool(fresh("Weather of today"), {}, kNow));
  ToolChange bound;
  bound.binding = ToolBinding{"calc", "add", nullptr};
  EXPECT_THAT(why(changed_tool(fresh("Weather of today"), bound, kNow)), HasSubstr("MCP"));
  EXPECT_THAT(why(changed_tool(fresh(std::string(129, 'a')), bound, kNow)), HasSubstr("MCP"));
}

TEST(RegisteredToolAbuse, Members) {
  const auto refused = [](auto set) {
    ToolChange what;
    set(what);
    return why(changed_tool(fresh(), what, kNow));
  };
  EXPECT_THAT(refused([](ToolChange& w) { w.version = std::string(51, '1'); }), HasSubstr("version"));
  EXPECT_THAT(refused([](ToolChange& w) { w.title = "a\tb"; }), HasSubstr("title"));
  EXPECT_THAT(refused([](ToolChange& w) { w.description = std::string(20'000, 'a'); }), HasSubstr("description"));
  EXPECT_THAT(refused([](ToolChange& w) { w.security_level = 11; }), HasSubstr("security_level"));
  EXPECT_THAT(refused([](ToolChange& w) { w.security_level = -1; }), HasSubstr("security_level"));
  EXPECT_THAT(refused([](ToolChange& w) { w.tags = std::vector<std::string>(33, "a"); }), HasSubstr("tags"));
  EXPECT_THAT(refused([](ToolChange& w) { w.categories = {""}; }), HasSubstr("categories"));
  EXPECT_THAT(refused([](ToolChange& w) { w.schema = R"({"type":"nonsense"})"; }), HasSubstr("schema"));
  EXPECT_THAT(refused([](ToolChange& w) { w.schema = R"({"$ref":"https://example.org/s"})"; }), HasSubstr("schema"));
}

TEST(RegisteredToolAbuse, Endpoints) {
  const auto refused = [](ToolBinding binding) {
    ToolChange what;
    what.binding = std::move(binding);
    return why(changed_tool(fresh(), what, kNow));
  };
  for (const char* url :
       {"file:///etc/passwd", "ftp://example.org", "example.org", "http://", "https://a b/", "//example.org"}) {
    EXPECT_THAT(refused(endpoint(url)), HasSubstr("endpoint")) << url;
  }
  for (const char* url : {"http://127.0.0.1/", "http://10.0.0.1/", "http://[::1]/", "http://169.254.169.254/"}) {
    EXPECT_THAT(refused(endpoint(url)), HasSubstr("endpoint")) << url;
  }
  EXPECT_THAT(refused(endpoint("http://169.254.169.254/", true)), HasSubstr("endpoint"));
  EXPECT_THAT(refused(endpoint("https://example.org/", false, {{"Host", "other"}})), HasSubstr("endpoint"));
  EXPECT_THAT(refused(endpoint("https://example.org/", false, {{"Content-Type", "text/plain"}})),
              HasSubstr("not yours"));
  ToolChange good;
  good.binding = endpoint("https://example.org/tool", false, {{"X-Token", "${env:TOKEN}"}});
  const auto tool = changed_tool(fresh(), good, kNow);
  ASSERT_TRUE(tool) << tool.error().detail;
  EXPECT_EQ(tool->registration->endpoint->name, "registry/weather");
}

// threats.md: a tool that takes another's name.
TEST(RegisteredToolAbuse, NeverTakesAnUpstreamsName) {
  std::map<std::string, ServerPtr, std::less<>> servers;
  auto zoo = std::make_shared<ServerRecord>();
  zoo->name = zoo->prefix = "zoo";  // after "registry" in the alphabet
  servers["zoo"] = zoo;
  CatalogueBuilder::Tools tools;
  ToolRecord feed;
  feed.server = "zoo";
  feed.name = "feed";
  tools["zoo"] = {feed};
  tools[std::string(kRegistry)] = {fresh("zoo_feed"), fresh("other")};
  CatalogueBuilder builder;
  const auto built = builder.build(servers, tools);
  EXPECT_EQ(built->exposed.at("zoo_feed")->server, "zoo");
  EXPECT_EQ(built->exposed.at("other")->server, kRegistry);
  EXPECT_THAT(built->collisions, SizeIs(1));
  EXPECT_TRUE(built->registry);
  EXPECT_FALSE(built->servers.contains(kRegistry));
  EXPECT_FALSE(builder.build(servers, {})->registry);
}

}  // namespace
}  // namespace sallyport::control
