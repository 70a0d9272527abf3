#include "net/http_reader.h"

#include <gtest/gtest.h>

namespace sallyport::net {
namespace {

using State = RequestReader::State;

TEST(HttpReader, ReadsAHead) {
  RequestReader reader{HttpLimits{}};
  const std::string bytes =
      "POST /mcp/calc?x=1&y=[2] HTTP/1.1\r\nHost: localhost:8000\r\nX-A:  b c\t\r\nContent-Length: 2\r\n\r\n{}";
  const auto used = reader.feed(bytes);
  ASSERT_EQ(reader.state(), State::body) << "it stops after the head, so that the handler can decide first";
  EXPECT_EQ(used, bytes.size() - 2);
  EXPECT_EQ(reader.head().method, "POST");
  EXPECT_EQ(reader.head().path, "/mcp/calc");
  EXPECT_EQ(reader.head().query, "x=1&y=[2]");
  EXPECT_EQ(reader.head().find("x-a"), "b c");
  EXPECT_EQ(reader.head().find("absent"), std::nullopt);
  EXPECT_EQ(reader.head().count("HOST"), 1U);
  EXPECT_TRUE(reader.head().keep_alive);
  EXPECT_EQ(reader.feed(bytes.substr(used)), 2U);
  EXPECT_EQ(reader.state(), State::complete);
  EXPECT_EQ(reader.body(), "{}");
}

TEST(HttpReader, ReadsPipelinedMessages) {
  RequestReader reader{HttpLimits{}};
  std::string_view bytes =
      "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
      "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
      "GET /c HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n";
  std::string seen;
  while (!bytes.empty()) {
    bytes.remove_prefix(reader.feed(bytes));
    ASSERT_NE(reader.state(), State::failed) << reader.error().detail;
    if (reader.state() != State::complete) continue;
    seen += std::string(reader.head().path) + "=" + reader.body() + (reader.head().keep_alive ? "+ " : "- ");
    reader.next();
  }
  EXPECT_EQ(seen, "/a=+ /b=hello world+ /c=+ ");
}

TEST(HttpReader, KnowsWhoWantsToContinue) {
  RequestReader reader{HttpLimits{}};
  reader.feed("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n");
  EXPECT_TRUE(reader.head().expect_continue);
}

TEST(HttpReader, LimitsCountExactly) {
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n";
  RequestReader fits{{.head_bytes = request.size(), .request_line_bytes = 16, .header_count = 2}};
  fits.feed(request);
  EXPECT_EQ(fits.state(), State::complete);
  RequestReader head{{.head_bytes = request.size() - 1}};
  head.feed(request);
  EXPECT_EQ(head.error().code, Code::head_too_large);
  RequestReader count{{.header_count = 1}};
  count.feed(request);
  EXPECT_EQ(count.error().code, Code::head_too_large);
  RequestReader body{{.body_bytes = 3}};
  body.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(body.error().code, Code::body_too_large);
  RequestReader chunks{{.body_bytes = 3}};
  const std::string_view chunked =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n";
  chunks.feed(chunked.substr(chunks.feed(chunked)));
  EXPECT_EQ(chunks.error().code, Code::body_too_large);
}

}  // namespace
}  // namespace sallyport::net
