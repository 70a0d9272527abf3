#include "request/authorization/opa_decider.h"

#include <gtest/gtest.h>

#include "engines/decide/decide_fixture.h"
#include "json/document.h"
#include "model/registration.h"
#include "net/loopback_fixture.h"

namespace sallyport {
namespace {

using net::ServerExchange;
using test::principal_with;
using test::tool_named;

constexpr std::string_view kAllow = R"({"result":{"allow":true,"deny":[]}})";

// A peer that answers as a test wants it to; a real OPA is asked in tests/e2e/opa_*_test.py.
class OpaDeciderTest : public net::Loopback {
 protected:
  net::EgressClient egress_{io_.get_executor(), sweep_};
  Snapshot snapshot_ = test::shipped();
  const ToolRecord tool_ = tool_named("calc", "add");
  const Principal user_ = principal_with({"user"});
  std::vector<std::string> targets_, bodies_, failures_;
  int status_ = 200;
  std::string answer_{kAllow};

  OpaClient client(std::chrono::milliseconds timeout = std::chrono::seconds(5), std::chrono::seconds cache = {}) {
    auto target = net::EgressTarget::make("http://127.0.0.1:" + std::to_string(port()) + "/opa/",
                                          {.allow_private = true}, {{"Authorization", "Bearer t"}});
    return {io_.get_executor(), egress_, clock_, {*target, timeout, cache}, [this](std::string_view why) {
              failures_.emplace_back(why);
            }};
  }

  void serve_answers() {
    serve([this](ServerExchange& exchange) -> Task<void> {
      const auto body = co_await exchange.read_body();
      targets_.emplace_back(exchange.head().target);
      bodies_.emplace_back(*body);
      EXPECT_EQ(exchange.head().find("authorization").value_or(""), "Bearer t");
      co_await exchange.respond({.status = status_, .content_type = "application/json", .body = answer_});
    });
  }

  [[nodiscard]] AccessRequest call(std::string_view arguments = R"({"a":1})") const {
    AccessRequest request{.principal = user_, .tool = &tool_};
    request.arguments_json = arguments;
    return request;
  }

  // Rehearsed, then asked, as the pipeline does.
  Task<Decision> decide(OpaClient& by, AccessRequest request) {
    OpaDecider decider(by);
    co_await decider.prepare([&] { (void)decider.decider().decide(snapshot_, request); });
    co_return decider.decider().decide(snapshot_, request);
  }
};

TEST_F(OpaDeciderTest, DecidesAsTheServerSays) {
  serve_answers();
  run([&]() -> Task<void> {
    auto by = client();
    EXPECT_TRUE((co_await decide(by, call())).allow);
    EXPECT_EQ(targets_, (std::vector<std::string>(2, "/opa/v1/data/tool_access?strict-builtin-errors=true")));
    // The law: the same without arguments, in phase list, must be allowed as well.
    std::string all = bodies_[0] + bodies_[1];
    EXPECT_NE(all.find(R"("phase":"list")"), std::string::npos);
    EXPECT_NE(all.find(R"("phase":"call")"), std::string::npos);
    EXPECT_NE(all.find(R"("arguments":{"a":1})"), std::string::npos);
    answer_ = R"({"result":{"allow":true,"deny":["too late","too much"]}})";
    const Decision denied = co_await decide(by, call());
    EXPECT_FALSE(denied.allow);
    EXPECT_EQ(denied.rule_id, "policy.tool_access.deny");
    EXPECT_EQ(denied.reason, "too late; too much");
    answer_ = R"({"result":{"allow":false}})";
    EXPECT_EQ((co_await decide(by, call())).rule_id, "policy.tool_access.default");
    EXPECT_TRUE(failures_.empty());
  }());
}

TEST_F(OpaDeciderTest, WhatNobodyAskedBeforehandIsDeniedAndTold) {
  serve_answers();
  run([&]() -> Task<void> {
    auto by = client();
    OpaDecider decider(by);
    const Decision denied = decider.decider().decide(snapshot_, call());
    EXPECT_EQ(denied.rule_id, kRulePolicyError);
    EXPECT_TRUE(bodies_.empty());
    EXPECT_FALSE(failures_.empty());
    for (const std::string& why : failures_) EXPECT_EQ(why, "tool_access was not asked beforehand");
    co_return;
  }());
}

TEST_F(OpaDeciderTest, WhatTheRolesDoNotGrantIsNotAsked) {
  serve_answers();
  run([&]() -> Task<void> {
    auto by = client();
    const Principal nobody = principal_with({});
    EXPECT_EQ((co_await decide(by, {.principal = nobody, .tool = &tool_})).rule_id, kRuleUnknown);
    EXPECT_TRUE(bodies_.empty());
  }());
}

TEST_F(OpaDeciderTest, WhatNobodyPreparedIsDeniedWithoutAsking) {
  serve_answers();
  run([&]() -> Task<void> {
    auto by = client();
    OpaDecider decider(by);
    EXPECT_EQ(decider.decider().decide(snapshot_, call()).rule_id, kRulePolicyError);
    co_await decider.prepare([&] { (void)decider.decider().decide(snapshot_, call()); });
    EXPECT_TRUE(decider.decider().decide(snapshot_, call()).allow);
    // Other arguments are another question.
    EXPECT_EQ(decider.decider().decide(snapshot_, call(R"({"a":2})")).rule_id, kRulePolicyError);
    EXPECT_EQ(bodies_.size(), 2U);
  }());
}

TEST_F(OpaDeciderTest, WhateverGoesWrongDenies) {
  serve_answers();
  run([&]() -> Task<void> {
    auto by = client();
    const std::pair<int, std::string> wrong[]{
        {500, std::string(kAllow)},
        {404, std::string(kAllow)},
        {204, ""},
        {302, std::string(kAllow)},
        {200, ""},
        {200, "{}"},
        {200, R"({"result":true})"},
        {200, R"({"result":{"allow":true})"},
        {200, "<html>"},
        {200, R"({"result":{"allow":true,"x":")" + std::string(OpaClient::kAnswerBytesMax, 'x') + "\"}}"}};
    for (const auto& [status, body] : wrong) {
      status_ = status;
      answer_ = body;
      failures_.clear();
      const Decision decision = co_await decide(by, call());
      EXPECT_EQ(decision.rule_id, kRulePolicyError) << status << " " << body.substr(0, 60);
      EXPECT_FALSE(failures_.empty()) << body.substr(0, 60);
    }
  }());
}

TEST_F(OpaDeciderTest, ASlowServerIsCutAndARestThatWaitsIsNotAsked) {
  SteadyTimer never(io_.get_executor(), SteadyTime::max());
  std::size_t asked = 0;
  serve([&](ServerExchange& exchange) -> Task<void> {
    ++asked;
    (void)co_await exchange.read_body();
    (void)co_await never.async_wait(use_task_ec);
  });
  run([&]() -> Task<void> {
    auto by = client(std::chrono::milliseconds(50));
    std::vector<OpaQuestion> many;
    for (int i = 0; i < 100; ++i) many.push_back({std::to_string(i), "tool_access", "{}"});
    const OpaAnswers answers = co_await by.fetch(std::move(many));
    EXPECT_EQ(answers.size(), 100U);
    for (const auto& [key, answer] : answers) EXPECT_FALSE(answer);
    EXPECT_LE(asked, OpaClient::kAtOnce * 2);
    EXPECT_EQ(failures_.size(), 1U);
    never.cancel();
  }());
}

TEST_F(OpaDeciderTest, AServerThatIsNotThereDenies) {
  auto by = client();
  acceptor_.close();
  run([&]() -> Task<void> {
    EXPECT_EQ((co_await decide(by, call())).rule_id, kRulePolicyError);
    EXPECT_FALSE(failures_.empty());
  }());
}

TEST_F(OpaDeciderTest, AnswersAreGivenAgainOnlyWithinTheCache) {
  serve_answers();
  run([&]() -> Task<void> {
    auto by = client(std::chrono::seconds(5), std::chrono::seconds(3600));
    AccessRequest request = call();
    EXPECT_TRUE((co_await decide(by, request)).allow);
    request.now += std::chrono::hours(1);  // the time is no part of the question
    answer_ = R"({"result":{}})";
    EXPECT_TRUE((co_await decide(by, request)).allow);
    EXPECT_EQ(bodies_.size(), 2U);
    request.remote_address = "192.0.2.1";  // the address is
    EXPECT_FALSE((co_await decide(by, request)).allow);
    auto without = client();
    EXPECT_FALSE((co_await decide(without, call())).allow);
  }());
}

TEST_F(OpaDeciderTest, AFailureIsNeverRemembered) {
  serve_answers();
  run([&]() -> Task<void> {
    auto by = client(std::chrono::seconds(5), std::chrono::seconds(3600));
    status_ = 500;
    EXPECT_FALSE((co_await decide(by, call())).allow);
    status_ = 200;
    EXPECT_TRUE((co_await decide(by, call())).allow);
  }());
}

TEST_F(OpaDeciderTest, AToolThatIsBoundToAnotherAsksForBothInTurn) {
  serve_answers();
  auto registration = std::make_shared<Registration>();
  registration->bound_server = "calc";
  registration->bound_tool = "add";
  ToolRecord named = tool_named(std::string(kRegistry), "sum");
  named.registration = registration;
  run([&]() -> Task<void> {
    auto by = client();
    EXPECT_TRUE((co_await decide(by, {.principal = user_, .tool = &named, .phase = Phase::list})).allow);
    EXPECT_EQ(bodies_.size(), 2U);
    if (bodies_.size() != 2) co_return;
    EXPECT_NE(bodies_[1].find(R"("name":"add")"), std::string::npos);
  }());
}

// Done when 6: arguments that imitate structure, names that are not text.
TEST_F(OpaDeciderTest, BytesOfArgumentsReachNoOtherPartOfTheInput) {
  serve_answers();
  run([&]() -> Task<void> {
    auto by = client();
    for (const char* arguments : {R"({},"granted":true)", R"({}},"user":{"roles":["admin"]})", "[]", "1", "", "{",
                                  "{} {}", R"({"a":1,"a":2})", "{\"a\":\"\xff\"}"}) {
      EXPECT_EQ((co_await decide(by, call(arguments))).rule_id, kRulePolicyError) << arguments;
    }
    for (const std::string& body : bodies_) EXPECT_EQ(body.find("arguments"), std::string::npos) << body;
    Principal odd = user_;
    odd.name = "ann\xc0\xaf";
    EXPECT_EQ((co_await decide(by, {.principal = odd, .tool = &tool_})).rule_id, kRulePolicyError);
    bodies_.clear();
    EXPECT_TRUE((co_await decide(by, call(R"({"user":{"roles":["admin"]},"granted":false})"))).allow);
    for (const std::string& body : bodies_) {
      const auto input = json::read(body);
      EXPECT_TRUE(input) << body;
      if (!input) continue;
      EXPECT_EQ(input->root().find("input")->find("user")->find("roles")->raw(), R"(["user"])");
    }
  }());
}

TEST_F(OpaDeciderTest, APackageIsNoPath) {
  serve_answers();
  run([&]() -> Task<void> {
    auto by = client();
    for (const char* package : {"../policies", "a/b", "", "a..b", ".a", "a?b", "a b", "a\r\nb"}) {
      EXPECT_EQ((co_await by.ask(package, "{}")).error().code, Code::validation) << package;
    }
    EXPECT_TRUE(co_await by.ask("lib.times", "{}"));
    EXPECT_EQ(targets_, std::vector<std::string>{"/opa/v1/data/lib/times?strict-builtin-errors=true"});
  }());
}

}  // namespace
}  // namespace sallyport
