// Section 9 of the specification's digest, row by row and column by column: lists and results.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/mcp_header/mcp_header.h"
#include "json/slice.h"
#include "request/mcp/dialect_test_support.h"

namespace sallyport::mcp {
namespace {

using namespace dialect_test;
using ::testing::HasSubstr;
using ::testing::Not;

std::string shown(Revision client, Revision server, Method method, std::string_view result) {
  return shape_result({client, server}, method, result).value_or("failed");
}

bool has(std::string_view object, std::string_view key) { return json::member(object, key).has_value(); }

// A member of a listed tool, and the revisions of clients that see it.
struct Row {
  std::string member;
  std::array<bool, 5> seen;
};

TEST(Dialect, AToolShowsWhatTheClientsRevisionKnows) {
  const std::string definition =
      R"({"name":"t","title":"T","description":"d","inputSchema":{"type":"object","x":1.0e+2},)"
      R"("outputSchema":{"type":"object"},"annotations":{"readOnlyHint":true},"icons":[{"src":"data:,"}],)"
      R"("execution":{"taskSupport":"optional"},"_meta":{"a/b":1},"vendor":[1,2]})";
  const std::vector<Row> rows{
      {"name", {true, true, true, true, true}},        {"description", {true, true, true, true, true}},
      {"inputSchema", {true, true, true, true, true}}, {"_meta", {true, true, true, true, true}},
      {"vendor", {true, true, true, true, true}},      {"annotations", {false, true, true, true, true}},  // D1
      {"title", {false, false, true, true, true}},     {"outputSchema", {false, false, true, true, true}},  // D2
      {"icons", {false, false, false, true, true}},    {"execution", {false, false, false, true, false}},  // D3
  };
  for (const Revision server : kAll) {
    for (const Revision client : kAll) {
      const auto tool = shape_tool({client, server}, definition);
      ASSERT_TRUE(tool);
      for (const Row& row : rows) {
        EXPECT_EQ(has(*tool, row.member), row.seen[static_cast<std::size_t>(client)])
            << row.member << " of " << revision_name(server) << " to " << revision_name(client);
      }
      EXPECT_THAT(*tool, HasSubstr(R"("inputSchema":{"type":"object","x":1.0e+2})"));
    }
  }
  EXPECT_EQ(shape_tool({L4, L4}, definition), definition);
}

// D4: before 2026-07-28 the root of an outputSchema is an object.
TEST(Dialect, AnOutputSchemaOfNoObjectIsForModernClients) {
  for (const std::string schema : {R"({"type":"array"})", "{}", R"({"anyOf":[{"type":"object"}]})", "true"}) {
    const std::string tool = R"({"name":"t","inputSchema":{"type":"object"},"outputSchema":)" + schema + "}";
    for (const Revision client : {L1, L2, L3, L4}) {
      EXPECT_EQ(shape_tool({client, M}, tool), R"({"name":"t","inputSchema":{"type":"object"}})") << schema;
    }
    EXPECT_EQ(shape_tool({M, M}, tool), tool);
  }
}

// Trap 15.
TEST(Dialect, AToolThatOnlyRunsAsATaskIsHidden) {
  const std::string tool = R"({"name":"t","inputSchema":{},"execution":{"taskSupport":"required"}})";
  const std::string escaped = R"({"name":"t","inputSchema":{},"execut\u0069on":{"taskSupport":"r\u0065quired"}})";
  for (const Revision client : kAll) {
    EXPECT_FALSE(shape_tool({client, L4}, tool));
    EXPECT_FALSE(shape_tool({client, L4}, escaped));
  }
}

// Trap 10: the other tools stay.
TEST(Dialect, AnInvalidHeaderAnnotationExcludesItsTool) {
  const auto invalid = mcp_header::read_schema(R"({"type":"object","x-mcp-header":"A"})");
  const auto valid = mcp_header::read_schema(R"({"properties":{"a":{"type":"string","x-mcp-header":"A"}}})");
  for (const Revision client : kAll) {
    EXPECT_EQ(excludes_tool({client, L4}, &invalid, true), is_modern(client));
    EXPECT_EQ(excludes_tool({client, M}, &invalid, false), is_modern(client));
    EXPECT_TRUE(excludes_tool({client, M}, &invalid, true));
    EXPECT_FALSE(excludes_tool({client, M}, &valid, true));
    EXPECT_FALSE(excludes_tool({client, M}, nullptr, true));
  }
}

TEST(Dialect, AnItemShowsWhatTheClientsRevisionKnows) {
  const std::string prompt =
      R"({"name":"p","title":"P","icons":[],"arguments":[{"name":"a","title":"A","required":true},7],"annotations":{}})";
  const std::string bare = R"({"name":"p","arguments":[{"name":"a","required":true},7],"annotations":{}})";
  const std::string titled =
      R"({"name":"p","title":"P","arguments":[{"name":"a","title":"A","required":true},7],"annotations":{}})";
  for (const Revision server : kAll) {
    EXPECT_EQ(shape_item({L1, server}, prompt), bare);
    EXPECT_EQ(shape_item({L2, server}, prompt), bare);
    EXPECT_EQ(shape_item({L3, server}, prompt), titled);
    EXPECT_EQ(shape_item({L4, server}, prompt), prompt);
    EXPECT_EQ(shape_item({M, server}, prompt), prompt);
  }
}

// Nothing to change, nothing changed: numbers, order, escapes, members that nobody knows.
TEST(Dialect, BetweenLegacyPeersAResultIsTheSameBytes) {
  const std::string result =
      R"({"content":[{"type":"text","text":"\u00e9\/","n":1.50e+3}],"isError":false,"ttlMs":12345678901234567890,)"
      R"("_meta":{"vendor/x":-0.0,"":[]},"more":{"resultType":"x"}})";
  for (const Revision server : {L1, L2, L3, L4}) {
    for (const Revision client : {L1, L2, L3, L4}) {
      EXPECT_EQ(shown(client, server, Method::tools_call, result), result);
    }
  }
  EXPECT_EQ(shown(L4, L4, Method::tools_call, "{}"), "{}");
}

// (C): what only 2026-07-28 knows does not reach a legacy client.
TEST(Dialect, TheModernEnvelopeIsTakenOffForLegacyClients) {
  const std::string result =
      R"({"resultType":"complete","contents":[{"uri":"a:b","text":""}],"ttlMs":5,"cacheScope":"public",)"
      R"("_meta":{"io.modelcontextprotocol/serverInfo":{"name":"x","version":"1"},"io.modelcontextprotocol\/x":1}})";
  for (const Revision client : {L1, L2, L3, L4}) {
    EXPECT_EQ(shown(client, M, Method::resources_read, result), R"({"contents":[{"uri":"a:b","text":""}]})");
  }
}

// (E), (F).
TEST(Dialect, TheModernEnvelopeIsPutOnForModernClients) {
  const std::string body = R"({"content":[],"_meta":{"v/x":1,"io.modelcontextprotocol/related-task":{"taskId":"1"}}})";
  const std::string end = R"("resultType":"complete","_meta":{"v/x":1,)" + server_info() + "}}";
  for (const Revision server : kAll) {
    EXPECT_EQ(shown(M, server, Method::tools_call, body), R"({"content":[],)" + end);
    EXPECT_EQ(shown(M, server, Method::completion_complete, R"({"completion":{"values":[]}})"),
              R"({"completion":{"values":[]},)" + modern_end());
  }
  // A legacy server's word for something else does not become ours.
  EXPECT_EQ(shown(M, L4, Method::tools_call, R"({"resultType":"task","content":[]})"),
            R"({"content":[],)" + modern_end());
}

TEST(Dialect, SixMethodsCarryHowLongTheyKeep) {
  const std::string keeps = R"({"ttlMs":0,"cacheScope":"private",)" + modern_end();
  for (const Method method : {Method::discover, Method::tools_list, Method::prompts_list, Method::resources_list,
                              Method::resource_templates_list, Method::resources_read}) {
    EXPECT_EQ(shown(M, L3, method, "{}"), keeps);
    EXPECT_EQ(shown(M, L3, method, R"({"ttlMs":60000,"cacheScope":"public"})"), keeps);
  }
  // Trap 16: what was filtered for one principal is never public.
  EXPECT_EQ(shown(M, M, Method::tools_list, R"({"ttlMs":60000,"cacheScope":"public"})"), keeps);
  for (const Method method : {Method::tools_call, Method::prompts_get, Method::completion_complete}) {
    EXPECT_EQ(shown(M, M, method, R"({"ttlMs":1,"cacheScope":"public"})"), "{" + modern_end());
  }
}

TEST(Dialect, AReadKeepsWhatAModernServerSaidPrivately) {
  const auto ttl = [](const std::string& raw) {
    const std::string out = shown(M, M, Method::resources_read, R"({"cacheScope":"public","ttlMs":)" + raw + "}");
    EXPECT_EQ(json::member(out, "cacheScope"), R"("private")");
    return std::string(json::member(out, "ttlMs").value_or("none"));
  };
  EXPECT_EQ(ttl("60000"), "60000");
  for (const std::string raw : {"-1", "1.5", "1e3", "\"5\"", "null", "[]", "99999999999999999999"})
    EXPECT_EQ(ttl(raw), "0");
}

// Trap 6.
TEST(Dialect, AnUnknownResultTypeIsNoResult) {
  for (const std::string type : {R"("task")", R"("input_required")", R"("")", "null", "7"}) {
    for (const Revision client : kAll) {
      const auto out = shape_result({client, M}, Method::tools_call, R"({"content":[],"resultType":)" + type + "}");
      ASSERT_FALSE(out) << type;
      EXPECT_EQ(out.error().code, Code::upstream_protocol);
    }
  }
  EXPECT_TRUE(shape_result({L4, M}, Method::tools_call, R"({"content":[]})"));  // absent: complete
}

// (D2): the JSON stays readable for who does not know structuredContent.
TEST(Dialect, StructuredContentBecomesTextForEarlyClients) {
  const std::string result = R"({"content":[{"type":"text","text":"hi"}],"structuredContent":{"a":1.0,"b":"\""}})";
  const std::string text =
      R"({"content":[{"type":"text","text":"hi"},{"type":"text","text":"{\"a\":1.0,\"b\":\"\\\"\"}"}]})";
  for (const Revision server : {L3, L4, M}) {
    EXPECT_EQ(shown(L1, server, Method::tools_call, result), text);
    EXPECT_EQ(shown(L2, server, Method::tools_call, result), text);
    EXPECT_EQ(shown(L3, server, Method::tools_call, result), result);
    EXPECT_EQ(shown(L4, server, Method::tools_call, result), result);
  }
}

TEST(Dialect, ATextThatHoldsTheJsonIsNotRepeated) {
  const std::string text = R"({"type":"text","text":"{ \"b\": 2,\n \"a\": 1 }"})";
  EXPECT_EQ(shown(L2, L3, Method::tools_call, R"({"structuredContent":{"a":1,"b":2},"content":[)" + text + "]}"),
            R"({"content":[)" + text + "]}");
  EXPECT_EQ(shown(L2, L3, Method::tools_call, R"({"structuredContent":{"a":1}})"),
            R"({"content":[{"type":"text","text":"{\"a\":1}"}]})");
}

// (D4): any JSON is structured content in 2026-07-28, an object before.
TEST(Dialect, StructuredContentOfNoObjectIsForModernClients) {
  const std::string result = R"({"content":[],"structuredContent":[1,2]})";
  for (const Revision client : {L1, L2, L3, L4}) {
    EXPECT_EQ(shown(client, M, Method::tools_call, result), R"({"content":[{"type":"text","text":"[1,2]"}]})");
  }
  EXPECT_EQ(shown(M, M, Method::tools_call, result), R"({"content":[],"structuredContent":[1,2],)" + modern_end());
}

// (D1), (D2), (D3).
TEST(Dialect, ContentBlocksAreWhatTheClientsRevisionKnows) {
  const std::string audio = R"({"type":"audio","data":"AAAA","mimeType":"audio/wav","annotations":{"priority":0.50}})";
  const std::string link = R"({"type":"resource_link","uri":"a:b","name":"n","icons":[{"src":"data:,"}],"size":1})";
  const std::string image = R"({"type":"image","data":"AAAA","mimeType":"image/png"})";
  const std::string result = R"({"content":[)" + audio + "," + link + "," + image + "]}";
  const std::string audio_note =
      R"({"type":"text","text":"[audio/wav: a recording that MCP 2024-11-05 cannot carry]","annotations":{"priority":0.50}})";
  const std::string link_note = R"({"type":"text","text":"Resource: n, a:b"})";
  const std::string bare_link = R"({"type":"resource_link","uri":"a:b","name":"n","size":1})";
  EXPECT_EQ(shown(L1, M, Method::tools_call, result),
            R"({"content":[)" + audio_note + "," + link_note + "," + image + "]}");
  EXPECT_EQ(shown(L2, M, Method::tools_call, result), R"({"content":[)" + audio + "," + link_note + "," + image + "]}");
  EXPECT_EQ(shown(L3, M, Method::tools_call, result), R"({"content":[)" + audio + "," + bare_link + "," + image + "]}");
  EXPECT_EQ(shown(L4, M, Method::tools_call, result), result);
  const auto prompt = [](const std::string& block) {
    return R"({"messages":[{"role":"user","content":)" + block + "}]}";
  };
  EXPECT_EQ(shown(L1, L4, Method::prompts_get, prompt(audio)), prompt(audio_note));
  EXPECT_EQ(shown(L2, L4, Method::prompts_get, prompt(link)), prompt(link_note));
  EXPECT_EQ(shown(L3, L4, Method::prompts_get, prompt(link)), prompt(bare_link));
  EXPECT_EQ(shown(L4, L4, Method::prompts_get, prompt(link)), prompt(link));
}

TEST(Dialect, NotificationsPassWithoutWhatIsOfOneHop) {
  const std::string progress =
      R"({"progressToken":0,"progress":1.0,"message":"m","_meta":{"io.modelcontextprotocol/subscriptionId":1}})";
  EXPECT_EQ(shape_notification({L1, L4}, "notifications/progress", progress),
            R"({"progressToken":0,"progress":1.0})");  // D1
  for (const Revision client : {L2, L3, L4, M}) {
    EXPECT_EQ(shape_notification({client, M}, "notifications/progress", progress),
              R"({"progressToken":0,"progress":1.0,"message":"m"})");
  }
  EXPECT_EQ(shape_notification({L3, M}, "notifications/tools/list_changed", ""), "");
  EXPECT_EQ(shape_notification({L3, M}, "notifications/resources/updated",
                               R"({"uri":"a:b","_meta":{"io.modelcontextprotocol/subscriptionId":"7","v/x":1}})"),
            R"({"uri":"a:b","_meta":{"v/x":1}})");
  EXPECT_EQ(
      shape_notification({L4, L4}, "notifications/resources/updated", R"({"title":"s","u\u0072i":"a:b","more":{}})"),
      R"({"u\u0072i":"a:b"})");
  EXPECT_EQ(shape_notification({L4, L4}, "notifications/tools/list_changed", R"({"uri":"a:b","_meta":{"x":1}})"),
            R"({"_meta":{"x":1}})");
  EXPECT_EQ(shape_notification({L1, L1}, "notifications/message", R"({"level":"info","data":{"message":1}})"),
            R"({"level":"info","data":{"message":1}})");
}

TEST(Dialect, NotificationsOfAnotherKindStopHere) {
  for (const std::string method :
       {"notifications/cancelled", "notifications/subscriptions/acknowledged", "notifications/tasks/status",
        "notifications/tasks", "notifications/initialized", "notifications/vendor", "tools/call", ""}) {
    for (const Revision client : kAll) EXPECT_FALSE(shape_notification({client, L4}, method, "{}")) << method;
  }
  for (const Revision client : kAll) {
    for (const Revision server : kAll) {
      EXPECT_EQ(shape_notification({client, server}, "notifications/elicitation/complete", "{}").has_value(),
                client == L4 && server == L4);
    }
  }
}

TEST(Dialect, AnInitializeResultSaysWhatTheRevisionKnows) {
  const std::string offered =
      R"({"tools":{"listChanged":true},"logging":{},"completions":{},"extensions":{"x/y":{}},"tasks":{},"experimental":{}})";
  EXPECT_EQ(initialize_result(L1, offered, ""),
            R"({"protocolVersion":"2024-11-05","capabilities":{"tools":{"listChanged":true},"logging":{}},)"
            R"("serverInfo":{"name":"sallyport","version":")" SALLYPORT_VERSION R"("}})");
  for (const Revision client : {L2, L3, L4}) {
    const std::string out = initialize_result(client, offered, "say\n");
    EXPECT_EQ(json::member(out, "capabilities"), R"({"tools":{"listChanged":true},"logging":{},"completions":{}})");
    EXPECT_EQ(json::member(out, "protocolVersion"), '"' + std::string(revision_name(client)) + '"');
    EXPECT_EQ(json::member(out, "instructions"), R"("say\n")");
    EXPECT_EQ(has(json::member(out, "serverInfo").value(), "title"), client >= L3);
    EXPECT_THAT(out, Not(HasSubstr("resultType")));
  }
}

TEST(Dialect, ADiscoverResultNamesModernRevisionsAlone) {
  EXPECT_EQ(discover_result(R"({"tools":{},"tasks":{}})", ""),
            R"({"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private",)" +
                modern_end());
  EXPECT_EQ(
      input_required_result(R"({"k":{"method":"roots/list"}})", R"("s")"),
      R"({"inputRequests":{"k":{"method":"roots/list"}},"requestState":"s","resultType":"input_required","_meta":{)" +
          server_info() + "}}");
  EXPECT_THAT(input_required_result("", R"("s")"), Not(HasSubstr("inputRequests")));
}

}  // namespace
}  // namespace sallyport::mcp
