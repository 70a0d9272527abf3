#include "engines/decide/obligations.h"

#include <gtest/gtest.h>

#include "engines/decide/decide_fixture.h"
#include "model/registration.h"

namespace sallyport {
namespace {

using decide_internal::read_obligations;
using test::principal_with;
using test::tool_named;

TEST(Obligations, AreReadFromOneObjectOrSeveral) {
  const auto one = read_obligations(R"({"redact":["ssn","iban","ssn"],"require_approval":true,"calls_per_minute":5})");
  ASSERT_TRUE(one && *one);
  EXPECT_EQ((*one)->redact, (std::vector<std::string>{"iban", "ssn"}));
  EXPECT_TRUE((*one)->require_approval);
  EXPECT_FALSE((*one)->log_full);
  EXPECT_EQ((*one)->calls_per_minute, 5U);
  const auto several = read_obligations(
      R"([{"redact":["b"]},{"redact":["a","b"],"calls_per_minute":9},{"calls_per_minute":3},{"log_full":true}])");
  ASSERT_TRUE(several && *several);
  EXPECT_EQ((*several)->redact, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ((*several)->calls_per_minute, 3U) << "the lowest";
  EXPECT_TRUE((*several)->log_full);
}

TEST(Obligations, ThatBindToNothingAreNone) {
  for (const char* json :
       {"[]", "{}", "[{}]", R"({"require_approval":false})", R"([{"redact":[]},{"log_full":false}])"}) {
    const auto read = read_obligations(json);
    EXPECT_TRUE(read && *read == nullptr) << json;
  }
}

// Fail closed: what is not understood is an error, and the caller denies.
TEST(ObligationsAbuse, WhatIsUnknownOrMalformedIsAnError) {
  for (const char* json : {"",
                           "true",
                           "false",
                           "null",
                           "1",
                           R"("require_approval")",
                           R"(["require_approval"])",
                           R"({"requireApproval":true})",
                           R"({"require_approval":"yes"})",
                           R"({"require_approval":1})",
                           R"({"require_approval":null})",
                           R"({"redact":"ssn"})",
                           R"({"redact":[1]})",
                           R"({"redact":[""]})",
                           R"({"redact":[["a"]]})",
                           R"({"redact":{"a":true}})",
                           R"({"calls_per_minute":0})",
                           R"({"calls_per_minute":-1})",
                           R"({"calls_per_minute":1.5})",
                           R"({"calls_per_minute":"5"})",
                           R"({"calls_per_minute":4294967296})",
                           R"({"log_full":[]})",
                           R"([{"log_full":true},{"x":1}])",
                           R"([[{"log_full":true}]])",
                           R"({"log_full":true,"log_full":false})",
                           R"({"":true})",
                           R"({"log_full":true} )"
                           "x"}) {
    EXPECT_FALSE(read_obligations(json)) << json;
  }
  EXPECT_FALSE(read_obligations(R"({"redact":[")" + std::string(257, 'x') + R"("]})"));
  std::string many = R"({"redact":["x")";
  for (int i = 0; i < 300; ++i) many += ",\"n" + std::to_string(i) + "\"";
  EXPECT_FALSE(read_obligations(many + "]}"));
}

class ObligationsOfPolicy : public testing::Test {
 protected:
  Decision ask(const std::string& rules, std::string_view arguments = "{}", Phase phase = Phase::call,
               Permission action = Permission::tool_execute) {
    const Snapshot snapshot = test::with_tool_access("allow := true\n" + rules, ++epoch_);
    return decider_.decide(
        snapshot, {.principal = user_, .action = action, .tool = &tool_, .arguments_json = arguments, .phase = phase});
  }
  std::uint64_t epoch_ = 0;
  Decider decider_;
  ToolRecord tool_ = tool_named("calc", "add");
  Principal user_ = principal_with({"user"});
};

TEST_F(ObligationsOfPolicy, ComeWithTheYes) {
  const Decision decision =
      ask("obligations contains {\"redact\": {\"ssn\"}}\nobligations contains {\"calls_per_minute\": 5}\n");
  ASSERT_TRUE(decision.allow) << decision.evidence;
  ASSERT_TRUE(decision.obligations);
  EXPECT_EQ(decision.obligations->redact, std::vector<std::string>{"ssn"});
  EXPECT_EQ(decision.obligations->calls_per_minute, 5U);
}

TEST_F(ObligationsOfPolicy, InEachForm) {
  for (const char* rules :
       {"obligations := [{\"require_approval\": true}]\n", "obligations := {\"require_approval\": true}\n",
        "obligations := {{\"require_approval\": true}}\n", "obligations.require_approval := true\n",
        "obligations[\"require_approval\"] := true\n"}) {
    const Decision decision = ask(rules);
    ASSERT_TRUE(decision.allow) << rules << decision.evidence;
    ASSERT_TRUE(decision.obligations) << rules;
    EXPECT_TRUE(decision.obligations->require_approval);
  }
}

TEST_F(ObligationsOfPolicy, AreNoneWithoutTheRuleOrWhereItIsUndefined) {
  EXPECT_FALSE(ask("").obligations);
  EXPECT_FALSE(ask("obligations contains {\"log_full\": true} if input.tool.name == \"other\"\n").obligations);
  EXPECT_TRUE(ask("obligations := {\"log_full\": true} if input.tool.name == \"other\"\n").allow);
}

TEST_F(ObligationsOfPolicy, DependOnTheArguments) {
  const std::string rules = "obligations contains {\"require_approval\": true} if input.arguments.amount > 100\n";
  EXPECT_FALSE(ask(rules, R"({"amount":100})").obligations);
  EXPECT_TRUE(ask(rules, R"({"amount":101})").obligations);
}

TEST_F(ObligationsOfPolicy, BindNothingButACall) {
  const std::string rules = "obligations contains {\"require_approval\": true}\n";
  for (const auto& decision : {ask(rules, "{}", Phase::list), ask(rules, "{}", Phase::call, Permission::tool_read)}) {
    EXPECT_TRUE(decision.allow) << decision.evidence;
    EXPECT_FALSE(decision.obligations);
  }
  EXPECT_TRUE(ask("obligations := 7\n", "{}", Phase::list).allow) << "it is not asked";
}

TEST_F(ObligationsOfPolicy, ThatAreNotUnderstoodDeny) {
  for (const char* rules : {"obligations contains \"require_approval\"\n", "obligations contains {\"aproval\": true}\n",
                            "obligations := true\n", "obligations := {\"calls_per_minute\": 0}\n"}) {
    const Decision decision = ask(rules);
    EXPECT_FALSE(decision.allow) << rules;
    EXPECT_EQ(decision.rule_id, "policy.tool_access.obligation");
    EXPECT_EQ(decision.reason, "policy_error");
    EXPECT_TRUE(decision.evidence.contains("obligation")) << decision.evidence;
    EXPECT_FALSE(decision.obligations);
  }
}

TEST_F(ObligationsOfPolicy, AnErrorInsideDenies) {
  const std::string rules = "obligations contains {\"log_full\": true} if 1 / input.arguments.n > 0\n";
  EXPECT_TRUE(ask(rules, R"({"n":1})").allow);
  const Decision decision = ask(rules, R"({"n":0})");
  EXPECT_FALSE(decision.allow);
  EXPECT_EQ(decision.rule_id, kRulePolicyError);
}

TEST_F(ObligationsOfPolicy, AreRememberedWithTheAnswer) {
  const Snapshot snapshot = test::with_tool_access("allow := true\nobligations contains {\"log_full\": true}\n");
  for (int i = 0; i < 3; ++i) {
    const AccessRequest listed{.principal = user_, .tool = &tool_, .phase = Phase::list};
    EXPECT_FALSE(decider_.decide(snapshot, listed).obligations);
    const Decision decision = decider_.decide(snapshot, {.principal = user_, .tool = &tool_, .arguments_json = "{}"});
    ASSERT_TRUE(decision.obligations);
    EXPECT_TRUE(decision.obligations->log_full);
  }
  EXPECT_EQ(decider_.counters().remembered, 4U);
}

// Nobody could carry one out there: it is refused, not passed over.
TEST_F(ObligationsOfPolicy, OfAdminAccessDeny) {
  policy::Modules modules = policy::shipped_policies();
  modules.emplace_back("more.rego",
                       "package admin_access\nimport rego.v1\nobligations contains {\"require_approval\": true}\n");
  const Decision decision = decider_.decide(test::snapshot_with(modules),
                                            {.principal = principal_with({"admin"}), .action = Permission::user_write});
  EXPECT_FALSE(decision.allow);
  EXPECT_EQ(decision.rule_id, "policy.admin_access.obligation");
}

// A registered tool that is bound to an upstream's carries what is asked of both.
TEST_F(ObligationsOfPolicy, OfABoundToolUnite) {
  Snapshot snapshot = test::with_tool_access(
      "allow := true\nobligations contains {\"redact\": [\"a\"], \"calls_per_minute\": 7} if input.tool.name == "
      "\"mine\"\n"
      "obligations contains {\"redact\": [\"b\"], \"calls_per_minute\": 3} if input.tool.name == \"add\"\n");
  Catalogue catalogue;
  catalogue.servers["calc"] = std::make_shared<const ServerRecord>(test::server_named("calc"));
  catalogue.tools["calc"]["add"] = std::make_shared<const ToolRecord>(tool_);
  snapshot.catalogue = std::make_shared<const Catalogue>(std::move(catalogue));
  ToolRecord mine = tool_named(std::string(kRegistry), "mine");
  mine.registration = std::make_shared<const Registration>(Registration{.bound_server = "calc", .bound_tool = "add"});
  const Decision decision = decider_.decide(snapshot, {.principal = user_, .tool = &mine, .arguments_json = "{}"});
  ASSERT_TRUE(decision.allow) << decision.evidence;
  ASSERT_TRUE(decision.obligations);
  EXPECT_EQ(decision.obligations->redact, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(decision.obligations->calls_per_minute, 3U);
}

}  // namespace
}  // namespace sallyport
