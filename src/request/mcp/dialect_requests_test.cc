// Section 9 of the specification's digest: errors, what servers ask, what clients answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/slice.h"
#include "request/mcp/dialect_test_support.h"

namespace sallyport::mcp {
namespace {

using namespace dialect_test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kDeclared =
    R"({"elicitation":{"form":{},"url":{}},"sampling":{"tools":{},"context":{}},"roots":{"listChanged":true}})";

Result<std::string> asked(Bridge bridge, std::string_view method, std::string_view params,
                          std::string_view declared = kDeclared) {
  return shape_request(bridge, {method, params, declared, "id-1", ""});
}

Code refused(Bridge bridge, std::string_view method, std::string_view params, std::string_view declared = kDeclared) {
  const auto out = asked(bridge, method, params, declared);
  return out ? Code::count_ : out.error().code;
}

std::string form(const std::string& field) {
  return R"({"message":"m","requestedSchema":{"type":"object","properties":{"f":)" + field + "}}}";
}

constexpr std::string_view kUrl = R"({"mode":"url","message":"m","url":"https://a.example/x?y=1"})";

TEST(DialectErrors, NotFoundIsCalledWhatTheErasCallIt) {
  const std::string legacy = R"({"code":-32002,"message":"no"})";
  const std::string modern = R"({"code":-32602,"message":"no","data":{"uri":"a:b","n":1.0}})";
  for (const Revision server : {L1, L2, L3, L4}) {
    for (const Revision client : {L1, L2, L3, L4}) {
      EXPECT_EQ(shape_error({client, server}, Method::resources_read, legacy, "p+a:b"), legacy);
    }
    EXPECT_EQ(shape_error({M, server}, Method::resources_read, legacy, "p+a:b"),
              R"({"code":-32602,"message":"no","data":{"uri":"p+a:b"}})");
  }
  for (const Revision client : {L1, L2, L3, L4}) {
    EXPECT_EQ(shape_error({client, M}, Method::resources_read, modern, "p+a:b"),
              R"({"code":-32002,"message":"no","data":{"n":1.0,"uri":"p+a:b"}})");
    EXPECT_EQ(shape_error({client, M}, Method::tools_call, modern, ""), modern);  // unknown tool: the same in both
  }
  EXPECT_EQ(shape_error({M, M}, Method::resources_read, modern, "p+a:b"),
            R"({"code":-32602,"message":"no","data":{"n":1.0,"uri":"p+a:b"}})");
}

TEST(DialectErrors, CodesOfAHopAreNotRelayed) {
  for (const Revision server : kAll) {
    for (const Revision client : kAll) {
      for (const int code : {-32020, -32021, -32022}) {
        const std::string error =
            R"({"code":)" + std::to_string(code) + R"(,"message":"your header","data":{"supported":[]}})";
        EXPECT_EQ(shape_error({client, server}, Method::tools_call, error, ""),
                  R"({"code":-32603,"message":"The tool server refused the gateway's request"})");
      }
      for (const int code : {-32023, -32050, -32099}) {
        const std::string error = R"({"code":)" + std::to_string(code) + R"(,"message":"why","data":1})";
        EXPECT_EQ(shape_error({client, server}, Method::tools_call, error, ""), R"({"code":-32603,"message":"why"})");
      }
    }
  }
}

TEST(DialectErrors, ACapabilityThatAModernClientLacksIsNamedAsTheServerNamedIt) {
  const std::string error =
      R"({"code":-32021,"message":"m","data":{"requiredCapabilities":{"sampling":{"n":1.0}},"more":1}})";
  for (const Revision client : kAll) {
    for (const Revision server : kAll) {
      EXPECT_EQ(lacking_capabilities({client, server}, error).value_or("-"),
                client == M && server == M ? R"({"sampling":{"n":1.0}})" : "-");
    }
  }
  for (const std::string other :
       {R"({"code":-32020,"data":{"requiredCapabilities":{}}})", R"({"code":-32021})", R"({"code":-32021,"data":7})",
        R"({"code":-32021,"data":{"requiredCapabilities":["sampling"]}})", "7", R"({"code":"-32021"})"}) {
    EXPECT_FALSE(lacking_capabilities({M, M}, other)) << other;
  }
}

TEST(DialectErrors, OtherCodesPassAsTheyCame) {
  for (const std::string error : {R"({"code":-32000,"message":"m","data":[1.0]})", R"({"code":-32019,"message":"m"})",
                                  R"({"code":-32100,"message":"m"})", R"({"code":-32601,"message":"m"})",
                                  R"({"code":7,"message":"\u00e9","data":null,"more":1e2})"}) {
    for (const Revision client : kAll) EXPECT_EQ(shape_error({client, L4}, Method::tools_call, error, ""), error);
  }
}

TEST(DialectErrors, UrlElicitationRequiredIsOf20251125Alone) {
  const std::string url = R"({"mode":"url","elicitationId":"e","url":"https://a.example","message":"m"})";
  const std::string error =
      R"({"code":-32042,"message":"m","data":{"elicitations":[)" + url + R"(,{"mode":"form"},7]}})";
  for (const Revision server : kAll) {
    for (const Revision client : kAll) {
      const bool passes = client == L4 && server == L4;
      EXPECT_EQ(shape_error({client, server}, Method::tools_call, error, ""),
                passes ? error : R"({"code":-32603,"message":"m"})");
    }
  }
  EXPECT_THAT(url_elicitations(error), ElementsAre(url));
  EXPECT_THAT(url_elicitations(R"({"code":-32041,"data":{"elicitations":[]}})"), IsEmpty());
}

TEST(DialectErrors, WhatIsNoErrorBecomesOne) {
  for (const std::string error : {"7", "null", "[]", "{}", R"({"code":"-32602"})", R"({"code":-32602.0})",
                                  R"({"code":1e9})", R"({"code":99999999999})", R"({"message":"m"})", R"({"code":})"}) {
    EXPECT_EQ(shape_error({L4, L4}, Method::tools_call, error, ""),
              R"({"code":-32603,"message":"The tool server answered with an error that is none"})")
        << error;
  }
  EXPECT_EQ(shape_error({L4, L4}, Method::tools_call, R"({"code":1,"message":{"a":1}})", ""),
            R"({"code":1,"message":"The tool server refused the request"})");
  EXPECT_EQ(shape_error({L4, L4}, Method::tools_call, R"({"code":1})", ""),
            R"({"code":1,"message":"The tool server refused the request"})");
  const std::string huge = R"({"code":1,"message":")" + std::string(1U << 20, 'x') + R"("})";
  EXPECT_LT(shape_error({L4, L4}, Method::tools_call, huge, "").size(), 100U);
}

// Elicitation came with 2025-06-18.
TEST(DialectRequests, AFormReachesWhoKnowsForms) {
  const std::string params = form(R"({"type":"string","minLength":1})");
  for (const Revision server : {L3, L4, M}) {
    EXPECT_EQ(refused({L1, server}, "elicitation/create", params), Code::missing_capability);
    EXPECT_EQ(refused({L2, server}, "elicitation/create", params), Code::missing_capability);
    for (const Revision client : {L3, L4, M}) EXPECT_EQ(asked({client, server}, "elicitation/create", params), params);
  }
  const std::string with_mode = R"({"mode":"form",)" + params.substr(1);
  EXPECT_EQ(asked({L3, M}, "elicitation/create", with_mode), params);
  EXPECT_EQ(asked({L4, M}, "elicitation/create", with_mode), with_mode);
}

// (D3).
TEST(DialectRequests, ChoicesOf20251125AreRefusedBefore) {
  for (const std::string field : {R"({"type":"string","oneOf":[{"const":"a","title":"A"}]})",
                                  R"({"type":"array","items":{"type":"string","enum":["a"]}})",
                                  R"({"type":"array","items":{"anyOf":[{"const":"a","title":"A"}]}})"}) {
    EXPECT_EQ(refused({L3, M}, "elicitation/create", form(field)), Code::missing_capability) << field;
    EXPECT_EQ(asked({L4, M}, "elicitation/create", form(field)), form(field));
    EXPECT_EQ(asked({M, L4}, "elicitation/create", form(field)), form(field));
  }
  const std::string plain = form(R"({"type":"string","enum":["a"],"enumNames":["A"]})");
  EXPECT_EQ(asked({L3, L4}, "elicitation/create", plain), plain);
}

TEST(DialectRequests, AnUrlReachesWhoKnowsUrls) {
  for (const Revision client : {L1, L2, L3}) {
    EXPECT_EQ(refused({client, M}, "elicitation/create", kUrl), Code::missing_capability);
  }
  const std::string end = R"("url":"https://a.example/x?y=1")";
  EXPECT_EQ(asked({M, M}, "elicitation/create", kUrl), kUrl);
  EXPECT_EQ(asked({L4, M}, "elicitation/create", kUrl),
            R"({"mode":"url","message":"m",)" + end + R"(,"elicitationId":"id-1"})");
  const std::string with_id = R"({"mode":"url","elicitationId":"own","message":"m",)" + end + "}";
  EXPECT_EQ(asked({L4, L4}, "elicitation/create", with_id), with_id);
  EXPECT_EQ(asked({M, L4}, "elicitation/create", with_id), kUrl);
  EXPECT_EQ(asked({L4, M}, "elicitation/create", with_id),
            R"({"mode":"url","message":"m",)" + end + R"(,"elicitationId":"id-1"})");
}

TEST(DialectRequests, WhatTheClientDidNotDeclareIsRefused) {
  const std::string params = form(R"({"type":"boolean"})");
  const std::string sampling = R"({"messages":[],"maxTokens":1})";
  for (const Revision client : {L3, L4, M}) {
    EXPECT_EQ(refused({client, L4}, "elicitation/create", params, "{}"), Code::missing_capability);
    EXPECT_EQ(refused({client, L4}, "elicitation/create", params, ""), Code::missing_capability);
    EXPECT_EQ(refused({client, L4}, "elicitation/create", kUrl, R"({"elicitation":{}})"), Code::missing_capability);
    EXPECT_EQ(refused({client, L4}, "sampling/createMessage", sampling, R"({"elicitation":{}})"),
              Code::missing_capability);
    EXPECT_EQ(refused({client, L4}, "roots/list", "", R"({"roots":null})"), Code::missing_capability);
    EXPECT_EQ(refused({client, L4}, "ping", "{}"), Code::method_not_found);
    EXPECT_EQ(refused({client, L4}, "tools/call", "{}"), Code::method_not_found);
  }
  EXPECT_EQ(asked({L3, L4}, "elicitation/create", params, R"({"elicitation":{}})"), params);
  EXPECT_EQ(refused({L4, L4}, "elicitation/create", params, R"({"elicitation":{"url":{}}})"), Code::missing_capability);
}

TEST(DialectRequests, TheMessageSaysWhoAsks) {
  const Ask ask{"elicitation/create",
                R"({"message":"your \"name\"","requestedSchema":{"type":"object","properties":{}}})", kDeclared, "",
                "mail"};
  EXPECT_EQ(shape_request({L4, M}, ask),
            R"({"message":"[mail] your \"name\"","requestedSchema":{"type":"object","properties":{}}})");
}

TEST(DialectRequests, SamplingIsWhatTheRevisionKnows) {
  const auto params = [](const std::string& content, const std::string& more = "") {
    return R"({"messages":[{"role":"user","content":)" + content + R"(}],"maxTokens":1.0e2)" + more + "}";
  };
  const std::string text = R"({"type":"text","text":"t"})";
  const std::string audio = R"({"type":"audio","data":"","mimeType":"audio/wav"})";
  const std::string method = "sampling/createMessage";
  for (const Revision client : kAll) EXPECT_EQ(asked({client, M}, method, params(text)), params(text));
  EXPECT_EQ(asked({L1, L2}, method, params(audio)),
            params(R"({"type":"text","text":"[audio/wav: a recording that MCP 2024-11-05 cannot carry]"})"));
  EXPECT_EQ(asked({L2, L2}, method, params(audio)), params(audio));
  // Several blocks, tools and their results came with 2025-11-25; tools must be declared besides.
  const std::string two = R"([{"type":"text","text":"t"},{"type":"text","text":"u"}])";
  const std::string use = R"([{"type":"tool_use","id":"1","name":"n","input":{}}])";
  for (const Revision client : {L1, L2, L3}) {
    EXPECT_EQ(asked({client, M}, method, params("[" + text + "]")), params(text));
    EXPECT_EQ(refused({client, M}, method, params(two)), Code::missing_capability);
    EXPECT_EQ(refused({client, M}, method, params(text, R"(,"tools":[])")), Code::missing_capability);
    EXPECT_EQ(refused({client, M}, method, params(text, R"(,"toolChoice":{})")), Code::missing_capability);
    EXPECT_EQ(refused({client, M}, method, params(use)), Code::missing_capability);
  }
  for (const Revision client : {L4, M}) {
    EXPECT_EQ(asked({client, M}, method, params(use, R"(,"tools":[])")), params(use, R"(,"tools":[])"));
    EXPECT_EQ(refused({client, M}, method, params(use), R"({"sampling":{}})"), Code::missing_capability);
    EXPECT_EQ(refused({client, M}, method, params(text, R"(,"tools":[])"), R"({"sampling":{}})"),
              Code::missing_capability);
    const std::string context = params(text, R"(,"includeContext":"allServers")");
    EXPECT_EQ(asked({client, L2}, method, context), context);
    EXPECT_EQ(asked({client, L2}, method, context, R"({"sampling":{}})"), params(text));
  }
}

TEST(DialectRequests, HopKeysAndTasksStayBehind) {
  EXPECT_EQ(asked({L4, L4}, "roots/list", R"({"_meta":{"progressToken":1,"v/x":1}})"), R"({"_meta":{"v/x":1}})");
  EXPECT_EQ(asked({L4, L4}, "roots/list", ""), "{}");
  EXPECT_EQ(asked({L4, L4}, "sampling/createMessage", R"({"messages":[],"maxTokens":1,"task":{"ttl":1}})"),
            R"({"messages":[],"maxTokens":1})");
}

TEST(DialectAnswers, GoodAnswersPassAsTheyCame) {
  const std::vector<std::pair<std::string, std::string>> answers{
      {"elicitation/create", R"({"action":"accept","content":{"a":"x","b":1.0,"c":true}})"},
      {"elicitation/create", R"({"action":"accept"})"},
      {"elicitation/create", R"({"action":"decline","_meta":{"v/x":1}})"},
      {"sampling/createMessage",
       R"({"role":"assistant","content":{"type":"text","text":"t"},"model":"m","stopReason":"x"})"},
      {"roots/list", R"({"roots":[{"uri":"file:///a","name":"n"},{"uri":"file:///b"}]})"},
      {"roots/list", R"({"roots":[]})"},
  };
  for (const auto& [method, answer] : answers) {
    for (const Revision client : kAll) {
      for (const Revision server : kAll) EXPECT_EQ(shape_answer({client, server}, method, answer), answer);
    }
  }
}

TEST(DialectAnswers, ContentBesideARefusalIsDropped) {
  EXPECT_EQ(shape_answer({L4, L4}, "elicitation/create", R"({"content":{"a":{}},"action":"cancel"})"),
            R"({"action":"cancel"})");
}

TEST(DialectAnswers, ListsAreForServersOf20251125) {
  const std::string choices = R"({"action":"accept","content":{"a":["x","y"]}})";
  EXPECT_EQ(shape_answer({M, L4}, "elicitation/create", choices), choices);
  EXPECT_FALSE(shape_answer({M, L3}, "elicitation/create", choices));
  const std::string one = R"({"role":"user","content":[{"type":"text","text":"t"}],"model":"m"})";
  EXPECT_EQ(shape_answer({M, L4}, "sampling/createMessage", one), one);
  EXPECT_EQ(shape_answer({M, L3}, "sampling/createMessage", one),
            R"({"role":"user","content":{"type":"text","text":"t"},"model":"m"})");
}

}  // namespace
}  // namespace sallyport::mcp
