#include "net/http_response_reader.h"

#include <gtest/gtest.h>

namespace sallyport::net {
namespace {

using State = ResponseReader::State;

struct Outcome {
  State state;
  int status;
  std::string body;
  bool reusable;
  Code code;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::string_view bytes, std::size_t step, bool end, bool to_head = false) {
  ResponseReader reader;
  reader.start({.body_bytes = 1000}, to_head);
  while (!bytes.empty() && reader.state() != State::failed && reader.state() != State::complete) {
    auto part = bytes.substr(0, step);
    while (!part.empty() && reader.state() != State::failed && reader.state() != State::complete) {
      const auto used = reader.feed(part);
      part.remove_prefix(used);
      bytes.remove_prefix(used);
    }
  }
  if (end) reader.feed_end();
  const bool failed = reader.state() == State::failed;
  return {reader.state(), failed ? 0 : reader.head().status, failed ? "" : reader.body(), reader.reusable(),
          failed ? reader.error().code : Code::internal};
}

TEST(HttpResponseReader, ReadsEveryFramingHoweverItIsCut) {
  struct Case {
    std::string bytes;
    Outcome want;
    bool end = false, to_head = false;
  };
  const Code none = Code::internal;
  const std::vector<Case> cases{
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", {State::complete, 200, "abc", true, none}},
      {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", {State::complete, 200, "", true, none}},
      {"HTTP/1.1 202 \r\ncontent-length: 0\r\nConnection: close\r\n\r\n", {State::complete, 202, "", false, none}},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
       {State::complete, 200, "abcde", true, none}},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", {State::complete, 200, "until the end", false, none}, true},
      {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", {State::complete, 200, "x", false, none}},
      {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx",
       {State::complete, 200, "x", true, none}},
      {"HTTP/1.1 204 No Content\r\n\r\n", {State::complete, 204, "", true, none}},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", {State::complete, 200, "", true, none}, false, true},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
       "1\r\n\r\ny",
       {State::complete, 200, "y", true, none}},
      {"HTTP/1.1 200 OK\r\nX: caf\xc3\xa9\r\nContent-Length: 0\r\n\r\n", {State::complete, 200, "", true, none}},
  };
  for (const auto& c : cases) {
    for (const std::size_t step : {1U, 2U, 3U, 10U, 100'000U}) {
      EXPECT_EQ(read(c.bytes, step, c.end, c.to_head), c.want) << c.bytes << " cut by " << step;
    }
  }
}

TEST(HttpResponseReader, RefusesWhatHasTwoReadings) {
  const Code bad = Code::upstream_protocol;
  const std::vector<std::pair<std::string, Code>> cases{
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", bad},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", bad},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", bad},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", bad},
      {"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc", bad},
      {"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", bad},
      {"HTTP/1.1 200 OK\nContent-Length: 0\n\n", bad},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", bad},
      {"HTTP/1.1 99 X\r\n\r\n", bad},
      {"HTTP/1.1 2000 X\r\n\r\n", bad},
      {"HTTP/2 200\r\n\r\n", bad},
      {"ICY 200 OK\r\n\r\n", bad},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n", bad},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", bad},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", bad},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", Code::upstream_too_large},
      {"HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x'), Code::upstream_too_large},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'), Code::upstream_too_large},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", Code::upstream_unavailable},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", Code::upstream_unavailable},
      {"HTTP/1.1 20", Code::upstream_unavailable},
      {"", Code::upstream_unavailable},
  };
  for (const auto& [bytes, code] : cases) {
    for (const std::size_t step : {1U, 100'000U}) {
      const auto outcome = read(bytes, step, true);
      EXPECT_EQ(outcome.state, State::failed) << bytes.substr(0, 100);
      EXPECT_EQ(info(outcome.code).name, info(code).name) << bytes.substr(0, 100);
    }
  }
}

TEST(HttpResponseReader, HeadOutlivesTheReader) {
  ResponseHead head;
  {
    ResponseReader reader;
    reader.feed("HTTP/1.1 404 Not Found\r\nMcp-Session-Id: abc\r\nContent-Length: 0\r\n\r\n");
    head = reader.take_head();
  }
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.find("mcp-session-id"), "abc");
  EXPECT_EQ(head.headers().size(), 2U);
}

}  // namespace
}  // namespace sallyport::net
