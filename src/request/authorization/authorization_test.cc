#include "request/authorization/authorization.h"

#include <gtest/gtest.h>

#include "engines/decide/decide_fixture.h"
#include "engines/decide/recorder.h"
#include "model/registration.h"

namespace sallyport {
namespace {

constexpr std::string_view kNone = "{}";

class AuthorizationTest : public ::testing::Test {
 protected:
  AuthorizationTest() {
    auto catalogue = std::make_shared<Catalogue>();
    add(*catalogue, "calculator", "add", true, true);
    add(*catalogue, "calculator", "secret", true, true);
    add(*catalogue, "calculator", "off", true, false);
    add(*catalogue, "sleeping", "add", false, true);
    snapshot.catalogue = std::move(catalogue);
    agent.id = "key:1";
    agent.kind = PrincipalKind::key;
    agent.roles = {"agent"};
    agent.grants = {*parse_grant("tool:execute@calculator/add")};
    admin.id = "user:1";
    admin.roles = {"admin"};
    reader.id = "user:2";
    reader.roles = {"readonly"};
  }
  static void add(Catalogue& to, const std::string& server_name, const std::string& name, bool server_on, bool tool_on) {
    auto server = std::make_shared<ServerRecord>();
    server->name = server->prefix = server_name;
    server->enabled = server_on;
    to.servers[server_name] = std::move(server);
    auto tool = std::make_shared<ToolRecord>();
    tool->server = server_name;
    tool->name = name;
    tool->exposed_name = server_name + "_" + name;
    tool->enabled = tool_on;
    to.tools[server_name][name] = tool;
    to.exposed[tool->exposed_name] = tool;
  }
  ToolAccess call(const Principal& who, std::string_view name, std::string_view scope = "", Channel channel = Channel::mcp) {
    return authorization.call({snapshot, who, channel, scope, "192.0.2.1", "2025-11-25", WallTime{}}, name, kNone);
  }
  Code refused(const ToolAccess& access) {
    EXPECT_FALSE(access.decision.allow);
    return to_error(access.decision).code;
  }

  Snapshot snapshot = test::shipped();
  Decider decider;
  Authorization authorization{decider};
  Principal agent, admin, reader;
};

// A catalogue entry is offered to nobody, and neither is a name for a tool that is switched off.
TEST_F(AuthorizationTest, ARegisteredToolIsOfferedWhileItCanBeCalled) {
  auto catalogue = std::make_shared<Catalogue>(*snapshot.catalogue);
  auto registry = std::make_shared<ServerRecord>();
  registry->name = kRegistry;
  catalogue->registry = registry;
  const auto alias = [&](const std::string& server, const std::string& name, bool endpoint) {
    auto registration = std::make_shared<Registration>();
    registration->bound_server = server;
    registration->bound_tool = name;
    if (endpoint) registration->endpoint = std::make_shared<const ServerRecord>();
    ToolRecord tool;
    tool.server = kRegistry;
    tool.name = "alias";
    tool.registration = std::move(registration);
    return tool;
  };
  snapshot.catalogue = catalogue;
  const Asker asker{snapshot, admin, Channel::mcp, "", "192.0.2.1", "2025-11-25", WallTime{}};
  EXPECT_TRUE(authorization.lists(asker, *registry, alias("calculator", "add", false)));
  EXPECT_TRUE(authorization.lists(asker, *registry, alias("", "", true)));
  EXPECT_FALSE(authorization.lists(asker, *registry, alias("", "", false)));
  EXPECT_FALSE(authorization.lists(asker, *registry, alias("calculator", "off", false)));
  EXPECT_FALSE(authorization.lists(asker, *registry, alias("sleeping", "add", false)));
  EXPECT_FALSE(authorization.lists(asker, *registry, alias("calculator", "gone", false)));
  EXPECT_FALSE(authorization.lists(asker, *registry, alias("registry", "alias", false))) << "no chains";
}

TEST_F(AuthorizationTest, AllowsWhatWasGranted) {
  const auto access = call(agent, "calculator_add");
  ASSERT_TRUE(access.decision.allow) << access.decision.evidence;
  EXPECT_EQ(access.server->name, "calculator");
  EXPECT_EQ(access.tool->name, "add");
  EXPECT_TRUE(call(agent, "add", "calculator").decision.allow);  // /mcp/calculator never prefixes
}

TEST_F(AuthorizationTest, ANameIsKnownInItsScopeOnly) {
  EXPECT_EQ(refused(call(agent, "add")), Code::unknown_tool);
  EXPECT_EQ(refused(call(agent, "calculator_add", "calculator")), Code::unknown_tool);
  EXPECT_EQ(refused(call(agent, "add", "sleeping")), Code::unknown_tool);
  EXPECT_EQ(refused(call(agent, "add", "nowhere")), Code::unknown_tool);
}

TEST_F(AuthorizationTest, AHiddenToolAnswersLikeAnUnknownOne) {
  const auto hidden = call(agent, "calculator_secret");
  const auto unknown = call(agent, "calculator_nothing");
  EXPECT_EQ(refused(hidden), Code::unknown_tool);
  EXPECT_EQ(refused(unknown), Code::unknown_tool);
  EXPECT_EQ(hidden.decision.reason, unknown.decision.reason);
  EXPECT_EQ(hidden.decision.rule_id, unknown.decision.rule_id);
}

TEST_F(AuthorizationTest, WhoReadsButMayNotExecuteIsDenied) {
  EXPECT_EQ(refused(call(reader, "calculator_add")), Code::access_denied);
  EXPECT_EQ(refused(call(reader, "calculator_nothing")), Code::unknown_tool);
}

TEST_F(AuthorizationTest, ADisabledToolOrServerIsUnknownToEveryone) {
  for (const std::string_view name : {"calculator_off", "sleeping_add", "calculator_nothing", ""}) {
    EXPECT_EQ(refused(call(admin, name)), Code::unknown_tool) << name;
  }
}

TEST_F(AuthorizationTest, AnAgentExecutesOverMcpOnly) {  // ruling C6
  EXPECT_FALSE(call(agent, "calculator_add", "", Channel::rest).decision.allow);
  EXPECT_FALSE(call(agent, "calculator_add", "", Channel::local).decision.allow);
  EXPECT_TRUE(call(admin, "calculator_add", "", Channel::rest).decision.allow);
}

TEST_F(AuthorizationTest, WhatIsCallableIsListed) {
  const Asker asker{snapshot, agent, Channel::mcp, "", "", "", WallTime{}};
  for (const auto& [server_name, tools] : snapshot.catalogue->tools) {
    for (const auto& [name, tool] : tools) {
      const bool listed = authorization.lists(asker, *snapshot.catalogue->servers.at(server_name), *tool);
      EXPECT_EQ(listed, call(agent, tool->exposed_name).decision.allow) << tool->exposed_name;
    }
  }
}

TEST_F(AuthorizationTest, AGrantOfOneToolIsNoneOfTheServersResources) {
  const auto calculator = snapshot.catalogue->servers.at("calculator");
  const auto ask = [&](const Principal& who, const ServerRecord* server) {
    return authorization.server_list({snapshot, who, Channel::mcp, "", "", "", WallTime{}}, server);
  };
  EXPECT_TRUE(is_unknown(ask(agent, calculator.get())));
  EXPECT_TRUE(ask(admin, calculator.get()).allow);
  EXPECT_TRUE(is_unknown(ask(admin, nullptr)));
  EXPECT_EQ(to_error(ask(reader, calculator.get())).code, Code::access_denied);
}

// What a list shows does not bind, and a call of a server as a whole is a call as that of a tool is.
TEST_F(AuthorizationTest, ReadingAResourceIsACallAndListingThemIsNone) {
  const auto catalogue = snapshot.catalogue;
  const ServerRecord* const calculator = catalogue->servers.at("calculator").get();
  const auto under = [&](const std::string& policy) {
    static std::uint64_t epoch = 100;
    snapshot = test::with_tool_access("allow := true\n" + policy, ++epoch);
    snapshot.catalogue = catalogue;
  };
  const Asker asker{snapshot, admin, Channel::mcp, "", "", "", WallTime{}};
  const auto lists = [&] { return authorization.server_list(asker, calculator); };
  const auto calls = [&](std::string_view method, std::string_view arguments) {
    return authorization.server_call(asker, calculator, {method, arguments});
  };
  under("obligations contains {\"log_full\": true}\n");
  EXPECT_TRUE(lists().allow);
  EXPECT_FALSE(lists().obligations);
  ASSERT_TRUE(calls("resources/read", "{}").obligations);
  EXPECT_TRUE(calls("resources/read", "{}").obligations->log_full);
  under("deny contains \"no\" if input.phase == \"call\"\n");
  EXPECT_TRUE(lists().allow);
  EXPECT_EQ(calls("prompts/get", "{}").reason, "no");
  under("deny contains \"no\" if input.phase == \"list\"\n");
  EXPECT_FALSE(calls("prompts/get", "{}").allow) << "what is not listed is not called";
  under("deny contains \"no\" if { input.method == \"resources/read\"; input.arguments.uri == \"a:secret\" }\n");
  EXPECT_FALSE(calls("resources/read", R"({"uri":"a:secret"})").allow);
  EXPECT_TRUE(calls("resources/read", R"({"uri":"a:open"})").allow);
  EXPECT_TRUE(calls("resources/subscribe", R"({"uri":"a:secret"})").allow);
  EXPECT_TRUE(lists().allow);
  EXPECT_TRUE(is_unknown(authorization.server_call(asker, nullptr, {"resources/read", "{}"})));
}

TEST_F(AuthorizationTest, WhatIsNobodysCallIsNotKeptForAReplay) {
  Decider keeps({.record_bytes = 1U << 20U});
  Authorization keeping(keeps);
  const ServerRecord* const calculator = snapshot.catalogue->servers.at("calculator").get();
  const ServerCall subscribing{"resources/subscribe", R"({"uri":"x://a"})"};
  Asker asker{snapshot, admin, Channel::mcp, "", "", "", WallTime{}};
  asker.counts = false;
  EXPECT_TRUE(keeping.server_call(asker, calculator, subscribing).allow);
  EXPECT_TRUE(keeps.recorder()->all().empty());
  asker.counts = true;
  EXPECT_TRUE(keeping.server_call(asker, calculator, subscribing).allow);
  EXPECT_EQ(keeps.recorder()->all().size(), 1U);
}

// Which servers there are is nobody's to find out by trying URLs.
TEST_F(AuthorizationTest, AServerThatTheCallerMayNotUseIsNoUrl) {
  const auto enters = [&](const Principal& who, std::string_view scope) {
    return authorization.enters({snapshot, who, Channel::mcp, scope, "", "", WallTime{}});
  };
  Principal stranger = agent;
  stranger.grants = {*parse_grant("tool:execute@other/add")};
  EXPECT_TRUE(enters(agent, "calculator"));
  EXPECT_TRUE(enters(reader, "calculator"));
  EXPECT_TRUE(enters(admin, "calculator"));
  EXPECT_FALSE(enters(stranger, "calculator"));
  EXPECT_FALSE(enters(admin, "sleeping"));
  EXPECT_FALSE(enters(admin, "nowhere"));
}

TEST_F(AuthorizationTest, WhoMustChangeThePasswordCallsNothing) {
  admin.must_change_password = true;
  EXPECT_EQ(refused(call(admin, "calculator_add")), Code::password_change_required);
}

}  // namespace
}  // namespace sallyport
