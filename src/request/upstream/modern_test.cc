// The codec of 2026-07-28.
#include "request/upstream/modern.h"

#include <gtest/gtest.h>

#include "json/slice.h"
#include "request/upstream/incoming.h"

namespace sallyport::upstream {
namespace {

constexpr std::string_view kEnvelope =
    R"("io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"sallyport","version":"1"},"io.modelcontextprotocol/clientCapabilities":{})";

Call call_of(std::string params, std::string method = "tools/call") {
  Call call;
  call.method = std::move(method);
  call.params = std::move(params);
  return call;
}

std::string params_of(const Result<std::string>& message) {
  return message ? std::string(json::member(*message, "params").value_or("")) : "ERROR " + message.error().detail;
}

std::string with_envelope(std::string_view members, std::string_view more_meta = {}, std::string_view third = {}) {
  return "{" + std::string(members) + "\"_meta\":{" + std::string(third) + std::string(kEnvelope) +
         std::string(more_meta) + "}}";
}

TEST(ModernCodec, EveryRequestCarriesItsEnvelope) {
  EXPECT_EQ(*modern::request(7, call_of("", "tools/list")),
            R"({"jsonrpc":"2.0","id":7,"method":"tools/list","params":)" + with_envelope("") + "}");
  EXPECT_EQ(params_of(modern::request(7, call_of(R"({"name":"a","arguments":{"n":1.50}})"))),
            with_envelope(R"("name":"a","arguments":{"n":1.50},)"));
}

TEST(ModernCodec, ClientsKeysOfTheHopAreMadeAnewAndOthersPass) {
  const auto params = params_of(modern::request(
      1, call_of(R"({"_meta":{"progress\u0054oken":9,"io.modelcontextprotocol/clientCapabilities":{"roots":{}},)"
                 R"("io.modelcontextprotocol/logLevel":"debug","traceparent":"t","x/y":[1]},"name":"a"})")));
  EXPECT_EQ(params, with_envelope(R"("name":"a",)", "", R"("traceparent":"t","x/y":[1],)"));
}

TEST(ModernCodec, CapabilitiesLevelAndTokenAreThoseOfTheCall) {
  Call call = call_of(R"({"name":"a"})");
  call.client_capabilities = R"({"elicitation":{}})";
  call.log_level = "info";
  call.wants_progress = true;
  std::string expected =
      with_envelope(R"("name":"a",)", R"(,"io.modelcontextprotocol/logLevel":"info","progressToken":5)");
  expected.replace(expected.find(R"(Capabilities":{})"), 16, R"(Capabilities":{"elicitation":{}})");
  EXPECT_EQ(params_of(modern::request(5, call)), expected);
}

TEST(ModernCodec, ARetrySplicesAnswersAndStateAndNothingOfTheClients) {
  Call call = call_of(R"({"name":"a","requestState":"forged","input\u0052esponses":{"forged":{}}})");
  EXPECT_EQ(params_of(modern::request(5, call)), with_envelope(R"("name":"a",)"));
  call.input_responses = R"({"k":{"action":"accept"}})";
  call.request_state = R"("v1.\u0061\/b")";
  EXPECT_EQ(params_of(modern::request(5, call)),
            with_envelope(R"("name":"a","inputResponses":{"k":{"action":"accept"}},"requestState":"v1.\u0061\/b",)"));
}

TEST(ModernCodec, WhatIsGoneIsNeverSent) {
  for (const auto* method : {"ping", "initialize", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"})
    EXPECT_EQ(modern::request(1, call_of("", method)).error().code, Code::method_not_found) << method;
}

TEST(ModernCodec, ListenSaysWhatIsWanted) {
  EXPECT_EQ(params_of(modern::listen(1, {.tools = true, .uris = {"b:\"", "a:"}})),
            with_envelope(R"("notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:","b:\""]},)"));
  EXPECT_EQ(params_of(modern::listen(1, {.prompts = true, .resources = true})),
            with_envelope(R"("notifications":{"promptsListChanged":true,"resourcesListChanged":true},)"));
}

TEST(ModernCodec, HeadersSayWhatTheBodySays) {
  using Headers = mcp_header::Headers;
  EXPECT_EQ(modern::headers(call_of("", "tools/list")), (Headers{{"Mcp-Method", "tools/list"}}));
  EXPECT_EQ(modern::headers(call_of(R"({"uri":"file:///a"})", "resources/read")),
            (Headers{{"Mcp-Method", "resources/read"}, {"Mcp-Name", "file:///a"}}));
  EXPECT_EQ(modern::headers(call_of(R"({"name":"\u00e9\r\nX: 1"})", "prompts/get")),
            (Headers{{"Mcp-Method", "prompts/get"}, {"Mcp-Name", mcp_header::encode("\xc3\xa9\r\nX: 1")}}));
  Call call = call_of(R"({"name":"a","arguments":{"region":"eu","level":3}})");
  call.header_params = std::make_shared<mcp_header::Params>(mcp_header::read_schema(
      R"({"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}})"));
  EXPECT_EQ(modern::headers(call),
            (Headers{{"Mcp-Param-Region", "eu"}, {"Mcp-Method", "tools/call"}, {"Mcp-Name", "a"}}));
}

TEST(ModernCodec, ReadsADiscoverResult) {
  const auto info = modern::read_discover(
      R"({"supportedVersions":["2025-11-25","2026-07-28"],"capabilities":{"tools":{}},"instructions":"be \"kind\"","resultType":"complete","ttlMs":0,"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"n"}}})");
  ASSERT_TRUE(info) << info.error().detail;
  EXPECT_EQ(info->revision, Revision::r2026_07_28);
  EXPECT_EQ(info->protocol_version, "2026-07-28");
  EXPECT_TRUE(info->has("tools"));
  EXPECT_EQ(info->server_info, R"({"name":"n"})");
  EXPECT_EQ(info->instructions, "be \"kind\"");
}

TEST(ModernCodec, ResultsAreSortedByTheirType) {
  Call call = call_of("{}");
  call.client_capabilities = R"({"elicitation":{},"sampling":{},"roots":{}})";
  for (const auto* plain : {"{}", R"({"content":[],"resultType":"complete","ttlMs":1})"}) {
    const auto reply = modern::sort_result(call, plain);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->body, plain);
    EXPECT_FALSE(reply->input_required);
  }
  for (
      const auto* asks :
      {R"({"resultType":"input_required","requestState":"s"})",
       R"({"resultType":"input_required","requestState":"s","inputRequests":{}})",
       R"({"resultType":"input\u005frequired","inputRequests":{"a":{"method":"elicitation/create","params":{}},"b":{"method":"sampling/createMessage","params":{}},"c":{"method":"roots/list"}}})"}) {
    const auto reply = modern::sort_result(call, asks);
    ASSERT_TRUE(reply) << asks << reply.error().detail;
    EXPECT_TRUE(reply->input_required);
    EXPECT_EQ(reply->body, asks);
  }
}

TEST(ModernCodec, ReadsErrors) {
  EXPECT_EQ(modern::error_code(R"({"code":-32020,"message":"m"})"), -32020);
  EXPECT_EQ(modern::error_code(R"({"code":"-32020"})"), 0);
  const auto supported =
      modern::supported_versions(R"({"code":-32022,"data":{"supported":["2026-07-28","2025-06-18","2099-01-01"]}})");
  ASSERT_TRUE(supported);
  EXPECT_TRUE(supported->modern && supported->legacy);
  EXPECT_FALSE(modern::supported_versions(R"({"code":-32601,"data":{"supported":["2026-07-28"]}})"));
  EXPECT_FALSE(modern::supported_versions(R"({"code":-32022})"));
}

TEST(ModernCodec, TakesTheSubscriptionOutOfANotification) {
  EXPECT_EQ(modern::without_subscription_id(R"({"_meta":{"io.modelcontextprotocol/subscriptionId":5}})"), "{}");
  EXPECT_EQ(
      modern::without_subscription_id(R"({"uri":"a","_meta":{"io.modelcontextprotocol/subscriptionId":5,"x":1}})"),
      R"({"uri":"a","_meta":{"x":1}})");
  EXPECT_EQ(modern::subscription_id(R"({"_meta":{"io.modelcontextprotocol/subscriptionId":5}})"), 5U);
  EXPECT_EQ(modern::subscription_id(R"({"_meta":{"io.modelcontextprotocol/subscriptionId":"5"}})"), std::nullopt);
  EXPECT_EQ(modern::subscription_id(""), std::nullopt);
}

}  // namespace
}  // namespace sallyport::upstream
