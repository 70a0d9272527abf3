// Registered tools in the database, and the words by which tools are found.
#include "storage/tools.h"

#include <gtest/gtest.h>

#include "model/registration.h"
#include "storage/sqlite_repository.h"
#include "storage/test_home.h"

namespace sallyport::storage {
namespace {

using namespace std::string_literals;
const std::string kNasty = "'; DROP TABLE tools; --\" \\' %s ${x} \n\0tail \xE2\x98\x83"s;
constexpr WallTime kNow{std::chrono::microseconds(1'790'000'000'123'456)};

class RegisteredTools : public testing::Test {
 protected:
  control::StoredState reopened() {
    repository.reset();
    repository = open();
    return *repository->load();
  }
  std::unique_ptr<SqliteRepository> open() {
    return std::move(*SqliteRepository::open(home.path("sallyport.db"), clock));
  }

  SystemClock clock;
  TestHome home;
  std::unique_ptr<SqliteRepository> repository = open();
};

class Search : public RegisteredTools {
 protected:
  std::vector<std::string> names(std::string_view words) {
    const auto hits = repository->search_tools(words, 100);
    EXPECT_TRUE(hits.has_value()) << words;
    std::vector<std::string> out;
    for (const auto& hit : hits.value_or(std::vector<control::ToolHit>())) out.push_back(hit.server + "/" + hit.name);
    return out;
  }
  using Names = std::vector<std::string>;
};

ToolRecord tool(std::string server, std::string name) {
  ToolRecord record;
  record.server = std::move(server);
  record.name = std::move(name);
  return record;
}

ToolRecord registered(std::string name, std::string description = "about nothing") {
  auto endpoint = std::make_shared<ServerRecord>();
  endpoint->name = endpoint_name(name);
  endpoint->transport = Transport::http;
  endpoint->url = "https://example.org/a?b=c";
  endpoint->headers = {{"Authorization", "${env:X}"}, {"X", kNasty}};
  endpoint->call_timeout = std::chrono::seconds(7);
  endpoint->allow_private = true;
  auto what = std::make_shared<Registration>();
  what->version = kNasty;
  what->categories = {"maths", kNasty};
  what->tags = {"fast"};
  what->owner = "key:k1";
  what->bound_server = "calc";
  what->bound_tool = kNasty;
  what->endpoint = std::move(endpoint);
  ToolRecord tool;
  tool.server = kRegistry;
  tool.name = std::move(name);
  tool.definition = "{}";
  tool.description = std::move(description);
  tool.security_level = 7;
  tool.enabled = false;
  tool.created_at = kNow;
  tool.updated_at = kNow + std::chrono::seconds(1);
  tool.registration = std::move(what);
  return tool;
}

TEST_F(RegisteredTools, AreKeptWithEveryField) {
  ASSERT_TRUE(repository->put_registered_tool(registered(kNasty)));
  ASSERT_TRUE(repository->put_registered_tool(registered(kNasty)));
  const auto state = reopened();
  ASSERT_EQ(state.registered.size(), 1U);
  const ToolRecord& got = state.registered[0];
  EXPECT_EQ(got.name, kNasty);
  EXPECT_EQ(got.exposed_name, kNasty);
  EXPECT_EQ(got.server, kRegistry);
  EXPECT_EQ(got.security_level, 7);
  EXPECT_FALSE(got.enabled);
  const Registration& what = *got.registration;
  EXPECT_EQ(what.version, kNasty);
  EXPECT_EQ(what.categories, (std::vector<std::string>{"maths", kNasty}));
  EXPECT_EQ(what.tags, std::vector<std::string>{"fast"});
  EXPECT_EQ(what.owner, "key:k1");
  EXPECT_EQ(what.bound_server + "/" + what.bound_tool, "calc/" + kNasty);
  EXPECT_EQ(got.created_at, kNow);
  EXPECT_EQ(got.updated_at, kNow + std::chrono::seconds(1));
  EXPECT_EQ(what.endpoint->url, "https://example.org/a?b=c");
  EXPECT_EQ(what.endpoint->headers.at("X"), kNasty);
  EXPECT_EQ(what.endpoint->call_timeout, std::chrono::seconds(7));
  EXPECT_TRUE(what.endpoint->allow_private);
  ASSERT_TRUE(repository->delete_registered_tool(kNasty));
  EXPECT_EQ(repository->delete_registered_tool(kNasty).error().code, Code::not_found);
  EXPECT_TRUE(reopened().registered.empty());
}

TEST_F(RegisteredTools, KeepTheirUseThroughAChangeAsThoseOfServersDo) {
  ServerRecord server;
  server.name = "calc";
  ASSERT_TRUE(repository->put_server(server));
  ToolRecord add = tool("calc", "add");
  add.created_at = add.updated_at = kNow;
  ASSERT_TRUE(repository->replace_tools("calc", std::span(&add, 1)));
  ASSERT_TRUE(repository->put_registered_tool(registered("mine")));
  const std::vector<control::ToolUse> uses{{"calc", "add", kNow, 7},
                                           {std::string(kRegistry), "mine", kNow, 3},
                                           {"calc", "gone", kNow, 1},
                                           {"calc", "add", kNow - std::chrono::seconds(5), 6}};
  ASSERT_TRUE(repository->touch_tools(uses));
  ASSERT_TRUE(repository->put_registered_tool(registered("mine")));
  auto state = reopened();
  ASSERT_EQ(state.tools.size(), 1U);
  EXPECT_EQ(state.tools[0].created_at, kNow);
  EXPECT_EQ(state.tools[0].usage->count, 7U);
  EXPECT_EQ(state.tools[0].usage->last, kNow.time_since_epoch().count());
  EXPECT_EQ(state.registered.at(0).usage->count, 3U);
  ASSERT_TRUE(repository->replace_tools("calc", state.tools));
  state = reopened();
  EXPECT_EQ(state.tools.at(0).updated_at, kNow);
  EXPECT_EQ(state.tools.at(0).usage->count, 7U);
}

TEST_F(Search, FindsEveryWordByItsBeginningTheNameFirst) {
  ASSERT_TRUE(repository->put_registered_tool(registered("report", "sends the weather by mail")));
  ASSERT_TRUE(repository->put_registered_tool(registered("get_weather", "forecasts")));
  EXPECT_EQ(names("weather"), (Names{"registry/get_weather", "registry/report"}));
  EXPECT_EQ(names("WEATH"), (Names{"registry/get_weather", "registry/report"}));
  EXPECT_EQ(names("weather mail"), Names{"registry/report"});
  EXPECT_EQ(names("math fast").size(), 2U) << "categories and tags";
  EXPECT_TRUE(names("eather").empty());
  EXPECT_TRUE(names("").empty());
  EXPECT_TRUE(names("  ").empty());
}

TEST_F(Search, ForgetsWhatIsGoneOrCalledOtherwise) {
  ServerRecord server;
  server.name = "calc";
  ASSERT_TRUE(repository->put_server(server));
  ASSERT_TRUE(repository->replace_tools("calc", std::vector{tool("calc", "add"), tool("calc", "sub")}));
  EXPECT_EQ(names("add"), Names{"calc/add"});
  ASSERT_TRUE(repository->replace_tools("calc", std::vector{tool("calc", "sub")}));
  EXPECT_TRUE(names("add").empty());
  ASSERT_TRUE(repository->delete_server("calc"));
  EXPECT_TRUE(names("sub").empty());
  ASSERT_TRUE(repository->put_registered_tool(registered("a", "before")));
  ASSERT_TRUE(repository->put_registered_tool(registered("a", "after")));
  EXPECT_TRUE(names("before").empty());
  EXPECT_EQ(names("after"), Names{"registry/a"});
  ASSERT_TRUE(repository->delete_registered_tool("a"));
  EXPECT_TRUE(names("after").empty());
}

// S0-23: the words of a caller are words, whatever FTS5 or SQL would make of them.
TEST_F(Search, ReadsNoOperator) {
  ASSERT_TRUE(repository->put_registered_tool(registered("one", "alpha")));
  ASSERT_TRUE(repository->put_registered_tool(registered("two", "beta")));
  for (const std::string_view words : {"alpha OR beta",
                                       "NOT alpha",
                                       "alpha NOT beta",
                                       "name:one",
                                       "{name}:one",
                                       "NEAR(alpha beta)",
                                       "-name:one",
                                       "^one OR",
                                       "\"",
                                       "\"\"",
                                       "al\"pha",
                                       "*",
                                       "(",
                                       ")",
                                       "alpha) OR (beta",
                                       "'; DROP TABLE servers; --",
                                       "server:registry",
                                       "+",
                                       "a:b:c",
                                       "alpha AND",
                                       "\xff\xfe",
                                       "\" OR name : \""}) {
    EXPECT_TRUE(names(words).empty()) << words;
  }
  EXPECT_EQ(names("alpha"), Names{"registry/one"});
  EXPECT_EQ(names("al\0pha"s), Names{"registry/one"});
  EXPECT_TRUE(names("\0"s).empty());
}

}  // namespace
}  // namespace sallyport::storage
