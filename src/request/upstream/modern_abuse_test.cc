// What hostile servers of 2026-07-28 answer, and what hostile callers want sent.
#include <gtest/gtest.h>

#include "request/upstream/modern.h"

namespace sallyport::upstream {
namespace {

Call call_with(std::string capabilities, std::string method = "tools/call") {
  Call call;
  call.method = std::move(method);
  call.params = R"({"name":"a"})";
  call.client_capabilities = std::move(capabilities);
  return call;
}

constexpr std::string_view kAll = R"({"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}})";

std::string asking(std::string_view request) {
  return R"({"resultType":"input_required","inputRequests":{"k":)" + std::string(request) + "}}";
}

TEST(ModernAbuse, AResultTypeThatWasNotAskedFor) {
  for (const auto* type : {"\"task\"", "\"\"", "\"Complete\"", "null", "7", "{}", "[\"complete\"]"}) {
    const auto reply = modern::sort_result(call_with(std::string(kAll)), R"({"resultType":)" + std::string(type) + "}");
    EXPECT_EQ(reply.error().code, Code::upstream_protocol) << type;
  }
}

TEST(ModernAbuse, AskingWhereNothingMayBeAsked) {
  const auto body = asking(R"({"method":"roots/list"})");
  for (const auto* method : {"tools/list", "completion/complete", "resources/list", "prompts/list"})
    EXPECT_FALSE(modern::sort_result(call_with(std::string(kAll), method), body)) << method;
  for (const auto* method : {"tools/call", "prompts/get", "resources/read"})
    EXPECT_TRUE(modern::sort_result(call_with(std::string(kAll), method), body)) << method;
}

TEST(ModernAbuse, AskingForWhatWasNotDeclared) {
  const std::vector<std::pair<std::string, std::string>> table{
      {R"({"method":"elicitation/create","params":{}})", "{}"},
      {R"({"method":"elicitation/create","params":{}})", ""},
      {R"({"method":"elicitation/create","params":{}})", R"({"elicitation":{"url":{}}})"},
      {R"({"method":"elicitation/create","params":{"mode":"url"}})", R"({"elicitation":{}})"},
      {R"({"method":"elicitation/create","params":{"mode":"url"}})", R"({"elicitation":{"form":{}}})"},
      {R"({"method":"elicitation/create","params":{"mode":7}})", R"({"elicitation":{}})"},
      {R"({"method":"elicitation/create","params":{"mode":"voice"}})", std::string(kAll)},
      {R"({"method":"sampling/createMessage","params":{}})", R"({"elicitation":{}})"},
      {R"({"method":"sampling/createMessage","params":{"tools":[]}})", R"({"sampling":{}})"},
      {R"({"method":"roots/list"})", R"({"roots":true})"},
      {R"({"method":"tools/call","params":{}})", std::string(kAll)},
      {R"({"method":"ping"})", std::string(kAll)},
      {R"({"method":7})", std::string(kAll)},
      {R"({"method":"roots/list","params":[]})", std::string(kAll)},
      {R"({})", std::string(kAll)},
      {R"("roots/list")", std::string(kAll)}};
  for (const auto& [request, capabilities] : table)
    EXPECT_FALSE(modern::sort_result(call_with(capabilities), asking(request))) << request << capabilities;
}

TEST(ModernAbuse, AskingNothingOrBadly) {
  for (const auto* body :
       {R"({"resultType":"input_required"})", R"({"resultType":"input_required","inputRequests":{}})",
        R"({"resultType":"input_required","inputRequests":[]})", R"({"resultType":"input_required","requestState":7})",
        R"({"resultType":"input_required","requestState":null})",
        R"({"resultType":"input_required","requestState":"s","inputRequests":null})"})
    EXPECT_FALSE(modern::sort_result(call_with(std::string(kAll)), body)) << body;
}

TEST(ModernAbuse, AskingWithoutEnd) {
  std::string many = R"({"resultType":"input_required","inputRequests":{)";
  for (int i = 0; i < 65; ++i) many += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + R"(":{"method":"roots/list"})";
  EXPECT_FALSE(modern::sort_result(call_with(std::string(kAll)), many + "}}"));
}

TEST(ModernAbuse, ADiscoverResultThatIsNone) {
  for (const auto* result :
       {"{}", R"({"supportedVersions":["2026-07-28"]})", R"({"supportedVersions":"2026-07-28","capabilities":{}})",
        R"({"supportedVersions":["2025-11-25"],"capabilities":{}})", R"({"supportedVersions":[],"capabilities":{}})",
        R"({"supportedVersions":[20260728],"capabilities":{}})",
        R"({"supportedVersions":["2026-07-28"],"capabilities":[]})",
        R"({"supportedVersions":["2026-07-28"],"capabilities":{},"resultType":"input_required"})",
        R"({"protocolVersion":"2026-07-28","capabilities":{}})"})
    EXPECT_EQ(modern::read_discover(result).error().code, Code::upstream_protocol) << result;
}

TEST(ModernAbuse, PartsThatAreNotWhatTheyShallBe) {
  Call call = call_with("[]");
  EXPECT_EQ(modern::request(1, call).error().code, Code::invalid_params);
  call = call_with("{}");
  call.params = "[]";
  EXPECT_FALSE(modern::request(1, call));
  call = call_with("{}");
  call.input_responses = "\"x\"";
  EXPECT_FALSE(modern::request(1, call));
  call = call_with("{}");
  call.request_state = "{}";
  EXPECT_FALSE(modern::request(1, call));
  call = call_with("{}", "tools/list");
  call.request_state = "\"s\"";
  EXPECT_FALSE(modern::request(1, call));
}

// mcp-spec.md, 10, trap 21: each part could be a second message on a pipe.
TEST(ModernAbuse, ALineBreakInAnyPart) {
  std::vector<Call> calls(5, call_with("{}"));
  calls[0].params = "{\"a\":\n1}";
  calls[1].client_capabilities = "{\n}";
  calls[2].input_responses = "{\r}";
  calls[3].request_state = "\"a\nb\"";
  calls[4].params = "{\"_meta\":{\"x\":\n1}}";
  for (const auto& call : calls) EXPECT_EQ(modern::request(1, call).error().code, Code::invalid_params) << call.params;
  Call call = call_with("{}");
  call.log_level = "info\n\"";  // written as a string: escaped
  EXPECT_TRUE(modern::request(1, call));
}

}  // namespace
}  // namespace sallyport::upstream
