#include "net/sse.h"

#include <gtest/gtest.h>

namespace sallyport::net {
namespace {

std::string read(std::string_view bytes, std::size_t step, std::size_t limit = 1000) {
  SseReader reader(limit);
  std::string seen;
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, step);
    bytes.remove_prefix(part.size());
    const auto result = reader.feed(part, [&](const SseEvent& event) {
      seen += std::string(event.event) + "/" + std::string(event.id) + "/" + std::string(event.data) + ";";
      return true;
    });
    if (!result) return seen + "error";
  }
  return seen;
}

// mcp-spec.md trap 12.
TEST(Sse, ReadsEveryFormHoweverItIsCut) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"data: a\n\n", "message//a;"},
      {"data: a\r\n\r\n", "message//a;"},
      {"data: a\r\r", "message//a;"},
      {"data:a\ndata: b\ndata:  c\n\n", "message//a\nb\n c;"},
      {"\xEF\xBB\xBF"
       "data: bom\n\n",
       "message//bom;"},
      {": comment\n\ndata: x\n:other\n\n", "message//x;"},
      {"event: endpoint\nid: 7\ndata: /m\n\ndata: y\n\n", "endpoint/7//m;message/7/y;"},
      {"id: 1\ndata:\n\n", "message/1/;"},
      {"id: 1\nretry: 500\n\n", "message/1/;"},
      {"event: only\n\ndata: z\n\n", "message//z;"},
      {"data\n\n", "message//;"},
      {"unknown: field\ndata: k\n\n", "message//k;"},
      {"data: h\xC3\xA9\xF0\x9F\x98\x80\n\n", "message//h\xC3\xA9\xF0\x9F\x98\x80;"},
      {"data: never ended", ""},
      {std::string("id: a\0b\ndata: x\n\n", 17), "message//x;"},
      {"data: " + std::string(2000, 'x') + "\n\n", "error"},
      {"data: a\r\n\r\ndata: b\r\n\r\n", "message//a;message//b;"},
  };
  for (const auto& [bytes, want] : cases) {
    for (const std::size_t step : {1U, 2U, 3U, 5U, 100'000U})
      EXPECT_EQ(read(bytes, step), want) << bytes << " by " << step;
  }
}

TEST(Sse, CapsAnEventOfManyLines) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes += "data: 0123456789\n";
  EXPECT_EQ(read(bytes, 16), "error");
}

TEST(Sse, RemembersRetryAndId) {
  SseReader reader;
  ASSERT_TRUE(reader.feed("retry: 1500\nid: e1\n\nretry: 12x\n\n", [](const SseEvent&) { return true; }));
  EXPECT_EQ(reader.retry_ms(), 1500U);
  EXPECT_EQ(reader.last_id(), "e1");
}

TEST(Sse, StopsWhenToldTo) {
  SseReader reader;
  int events = 0;
  ASSERT_TRUE(reader.feed("data: 1\n\ndata: 2\n\n", [&](const SseEvent&) { return ++events < 1; }));
  EXPECT_EQ(events, 1);
}

TEST(Sse, WritesWhatItReads) {
  std::string out;
  ASSERT_TRUE(append_event(out, R"({"a":"\n"})", "s-1"));
  ASSERT_TRUE(append_event(out, "{}"));
  ASSERT_TRUE(append_poll_event(out, "s-2", 100));
  out += kKeepAliveComment;
  EXPECT_EQ(read(out, 1), "message/s-1/{\"a\":\"\\n\"};message/s-1/{};message/s-2/;");
}

// mcp-spec.md trap 21; design.md principle 4.
TEST(Sse, RefusesLineBreaksThatForgeAnEvent) {
  std::string out;
  EXPECT_FALSE(append_event(out, "{\n}"));
  EXPECT_FALSE(append_event(out, "{\r}"));
  EXPECT_FALSE(append_event(out, "{}", "a\nb"));
  EXPECT_FALSE(append_poll_event(out, "a\rb", 1));
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace sallyport::net
