// The pure parts: codec, classifier, line buffer, back-off.
#include <gtest/gtest.h>

#include "model/server.h"
#include "request/upstream/backoff.h"
#include "request/upstream/codec.h"
#include "request/upstream/incoming.h"
#include "request/upstream/line_buffer.h"

namespace sallyport::upstream {
namespace {

Call call_of(std::string params, bool progress = false) {
  Call call;
  call.method = "tools/call";
  call.params = std::move(params);
  call.wants_progress = progress;
  return call;
}

TEST(UpstreamCodec, SplicesParamsAsTheyAre) {
  EXPECT_EQ(*legacy::request(7, call_of(R"({"name":"a","arguments":{"n":1.50}})")),
            R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","arguments":{"n":1.50}}})");
  EXPECT_EQ(*legacy::request(8, call_of("")), R"({"jsonrpc":"2.0","id":8,"method":"tools/call"})");
}

TEST(UpstreamCodec, MintsAProgressTokenOfItsOwn) {
  EXPECT_EQ(
      *legacy::request(9, call_of(R"({"name":"a","_meta":{"progressToken":"client","x/y":1}})", true)),
      R"({"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"a","_meta":{"x/y":1,"progressToken":9}}})");
  EXPECT_EQ(*legacy::request(9, call_of("", true)),
            R"({"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"_meta":{"progressToken":9}}})");
}

TEST(UpstreamCodec, DropsHopKeysHoweverTheyAreWritten) {
  const auto text = *legacy::request(
      1,
      call_of(
          R"({"_meta":{"progress\u0054oken":1,"io.modelcontextprotocol/related-task":{},"traceparent":"t"},"a":1})"));
  EXPECT_EQ(text, R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"a":1,"_meta":{"traceparent":"t"}}})");
}

// Issue 2, done-when 4: arguments with raw newlines would be a second message on the pipe.
TEST(UpstreamCodec, RefusesALineBreakInAMessage) {
  EXPECT_EQ(legacy::request(1, call_of("{\"a\":\n{}}")).error().code, Code::invalid_params);
  EXPECT_EQ(legacy::request(1, call_of("{\"a\":\r{}}")).error().code, Code::invalid_params);
  EXPECT_FALSE(legacy::notification("x", "{\n}"));
  EXPECT_FALSE(legacy::request(1, call_of("[1]")));
}

TEST(UpstreamCodec, AcceptsTheVersionsThatItSpeaks) {
  for (const auto* version : {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}) {
    const auto info =
        legacy::read_initialize(std::string(R"({"protocolVersion":")") + version + R"(","capabilities":{"tools":{}}})");
    ASSERT_TRUE(info) << version;
    EXPECT_EQ(info->protocol_version, version);
    EXPECT_TRUE(info->has("tools"));
    EXPECT_FALSE(info->has("prompts"));
  }
  EXPECT_FALSE(legacy::read_initialize(R"({"protocolVersion":"2026-07-28","capabilities":{}})"));
  EXPECT_FALSE(legacy::read_initialize(R"({"protocolVersion":7,"capabilities":{}})"));
  EXPECT_FALSE(legacy::read_initialize(R"({"protocolVersion":"2025-11-25"})"));
}

TEST(UpstreamCodec, DeclaresWhatIsForwardedAndNothingElse) {
  EXPECT_NE(legacy::initialize(1, {}).find(R"("capabilities":{})"), std::string::npos);
  EXPECT_NE(legacy::initialize(1, ServerRecord{}.forwards)
                .find(R"("capabilities":{"elicitation":{"form":{},"url":{}},"sampling":{}})"),
            std::string::npos);
  EXPECT_NE(legacy::initialize(1, {"roots", "else"}).find(R"("capabilities":{"roots":{}})"), std::string::npos);
}

TEST(UpstreamIncoming, SortsWhatItKnows) {
  auto in = *classify(R"({"jsonrpc":"2.0","id":3,"result":{"a":1}})");
  EXPECT_EQ(in.kind, Incoming::Kind::result);
  EXPECT_EQ(in.id, 3U);
  EXPECT_EQ(in.body, R"({"a":1})");
  in = *classify(R"({"error":{"code":-1},"id":0,"jsonrpc":"2.0"})");
  EXPECT_EQ(in.kind, Incoming::Kind::error);
  EXPECT_EQ(in.id, 0U);
  in = *classify(R"({"jsonrpc":"2.0","id":"a","method":"ping"})");
  EXPECT_EQ(in.kind, Incoming::Kind::request);
  EXPECT_EQ(in.raw_id, "\"a\"");
  in = *classify(R"({"jsonrpc":"2.0","method":"n","params":{}})");
  EXPECT_EQ(in.kind, Incoming::Kind::notification);
}

TEST(UpstreamIncoming, RefusesWhatIsNoMessage) {
  for (const auto* text :
       {"[]", "1", "{}", R"({"jsonrpc":"1.0","id":1,"result":{}})", R"({"jsonrpc":"2.0","id":1})",
        R"({"jsonrpc":"2.0","id":1,"result":{},"error":{}})", R"({"jsonrpc":"2.0","id":1,"result":7})",
        R"({"jsonrpc":"2.0","method":7})", R"({"jsonrpc":"2.0","id":null,"method":"a"})",
        R"({"jsonrpc":"2.0","id":1.5,"method":"a"})", R"({"jsonrpc":"2.0","id":{},"method":"a"})",
        R"({"jsonrpc":"2.0","method":"a","params":[]})", R"({"jsonrpc":"2.0","id":1,"method":"a","result":{}})"})
    EXPECT_FALSE(classify(text)) << text;
}

TEST(UpstreamIncoming, AnIdThatIsNotOursIsNoNumber) {
  for (const auto* id : {"\"3\"", "3.0", "-3", "null", "18446744073709551616", "{}"})
    EXPECT_EQ(classify(std::string(R"({"jsonrpc":"2.0","id":)") + id + R"(,"result":{}})")->id, std::nullopt) << id;
}

TEST(UpstreamIncoming, TakesTheTokenOutOfProgress) {
  EXPECT_EQ(without_member(R"({"progressToken":5,"progress":1})", "progressToken"), R"({"progress":1})");
  EXPECT_EQ(without_member(R"({"a":1,"progressToken":5})", "progressToken"), R"({"a":1})");
  EXPECT_EQ(progress_token(R"({"progressToken":5})"), 5U);
  EXPECT_EQ(progress_token(R"({"progressToken":"5"})"), std::nullopt);
}

TEST(UpstreamLines, CutsLinesHoweverTheyArrive) {
  LineBuffer lines(100);
  std::vector<std::string> seen;
  for (const char c : std::string("one\r\n\ntwo\nthr")) {
    lines.prepare(1)[0] = c;
    lines.commit(1);
    while (const auto line = lines.next()) seen.emplace_back(*line);
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"one", "", "two"}));
  EXPECT_EQ(lines.rest(), "thr");
}

TEST(UpstreamLines, SaysWhenALineIsOverTheCap) {
  LineBuffer lines(10);
  const auto put = [&](std::string_view text) {
    std::ranges::copy(text, lines.prepare(text.size()).begin());
    lines.commit(text.size());
    while (lines.next()) continue;
  };
  put("0123456789");
  EXPECT_FALSE(lines.overflowed());
  put("\n012345678901");
  EXPECT_TRUE(lines.overflowed());
}

TEST(UpstreamBackoff, GrowsAndIsBounded) {
  SystemRandom random;
  Settings settings;
  EXPECT_EQ(backoff(settings, 1, random).count(), 0);
  for (int i = 0; i < 50; ++i) {
    EXPECT_GE(backoff(settings, 2, random), settings.backoff_min / 2);
    EXPECT_LE(backoff(settings, 2, random), settings.backoff_min);
    EXPECT_GE(backoff(settings, 5, random), settings.backoff_min * 4);
    EXPECT_LE(backoff(settings, 4'000'000'000U, random), settings.backoff_max);
  }
}

}  // namespace
}  // namespace sallyport::upstream
