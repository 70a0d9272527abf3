// Attacks on HTTP framing by name (threats.md section 2; design.md section 4; issue 2, "done when" 4). Every one is
// refused, at the latest when its last byte is read, and reading byte by byte ends the same as reading all at once.
#include <gtest/gtest.h>

#include "net/http_reader.h"

namespace sallyport::net {
namespace {

struct Attack {
  const char* name;
  std::string bytes;
  Code code = Code::bad_framing;
};

std::string get(const std::string& more = {}) { return "GET / HTTP/1.1\r\nHost: a\r\n" + more + "\r\n"; }
std::string post(const std::string& fields, const std::string& body) {
  return "POST /mcp HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}
std::string chunked(const std::string& body) { return post("Transfer-Encoding: chunked\r\n", body); }

const std::vector<Attack>& attacks() {
  static const std::vector<Attack> all{
      {"NoHost", "GET / HTTP/1.1\r\n\r\n"},
      {"NoHostInHttp10", "GET / HTTP/1.0\r\n\r\n"},
      {"EmptyHost", "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
      {"TwoHosts", get("Host: b\r\n")},
      {"TwoEqualHosts", get("host: a\r\n")},
      {"ChunkedInHttp10", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"GzipChunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
      {"ChunkedIdentity", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")},
      {"Identity", post("Transfer-Encoding: identity\r\n", "")},
      {"ChunkedTwice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"ChunkedQuoted", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")},
      {"ChunkedWithVerticalTab", post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n")},
      {"XChunked", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")},
      {"SpaceBeforeColon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")},
      {"BothLengths", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"BothLengthsOtherOrder", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n")},
      {"TwoLengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")},
      {"TwoEqualLengths", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")},
      {"LengthList", post("Content-Length: 3, 3\r\n", "abc")},
      {"LengthLeadingZeros", post("Content-Length: 003\r\n", "abc")},
      {"LengthPlus", post("Content-Length: +3\r\n", "abc")},
      {"LengthMinus", post("Content-Length: -3\r\n", "abc")},
      {"LengthHex", post("Content-Length: 0x3\r\n", "abc")},
      {"LengthEmpty", post("Content-Length:\r\n", "abc")},
      {"LengthInnerBlank", post("Content-Length: 1 0\r\n", "abc")},
      {"LengthOverflow", post("Content-Length: 18446744073709551619\r\n", "abc")},
      {"LengthBeyondLimit", post("Content-Length: 10485761\r\n", ""), Code::body_too_large},
      {"TwoSpacesBeforeTarget", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"TwoSpacesBeforeVersion", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"TabInRequestLine", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"NoVersion", "GET /\r\nHost: a\r\n\r\n"},
      {"Http09", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"},
      {"Http20", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
      {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"Http12", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
      {"LowerCaseVersion", "GET / http/1.1\r\nHost: a\r\n\r\n"},
      {"Rtsp", "OPTIONS / RTSP/1.0\r\nHost: a\r\n\r\n"},
      {"Ice", "SOURCE / ICE/1.0\r\nHost: a\r\n\r\n", Code::bad_framing},
      {"AbsoluteForm", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"AuthorityForm", "GET b:80 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"Connect", "CONNECT b:80 HTTP/1.1\r\nHost: a\r\n\r\n", Code::method_not_allowed},
      {"Trace", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", Code::method_not_allowed},
      {"LowerCaseMethod", "get / HTTP/1.1\r\nHost: a\r\n\r\n", Code::method_not_allowed},
      {"GetAsterisk", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"OptionsAsterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"EmptyTarget", "GET  HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"Fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"BackslashInTarget", "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"BlankInTarget", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"HighByteInTarget", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"HighByteInName", get("X\xc3\xa9: 1\r\n")},
      {"HighByteInValue", get("X: \xc3\xa9\r\n")},
      {"DeleteInValue", get("X: a\x7f\r\n")},
      {"NulInValue", get(std::string("X: a\0b\r\n", 8))},
      {"NulInTarget", std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28)},
      {"EscapeInValue", get("X: \x1b[2J\r\n")},
      {"FormFeedInValue", get("X: a\fb\r\n")},
      {"Folded", get("X: a\r\n b\r\n")},
      {"FoldedTab", get("X: a\r\n\tb\r\n")},
      {"FirstHeaderFolded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"BareLfInRequestLine", "GET / HTTP/1.1\nHost: a\r\n\r\n"},
      {"BareLfInHeader", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"},
      {"BareLfAtEnd", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
      {"BareCr", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"},
      {"CrCrLf", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"},
      {"EmptyLineFirst", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"NoColon", get("Strange\r\n")},
      {"EmptyName", get(": x\r\n")},
      {"BadNameCharacter", get("X(y): 1\r\n")},
      {"Upgrade", get("Upgrade: h2c\r\n")},
      {"ConnectionUpgrade", get("Connection: Upgrade, HTTP2-Settings\r\n")},
      {"WebSocket", get("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n")},
      {"OtherExpect", get("Expect: 200-ok\r\n")},
      {"ChunkExtension", chunked("3;a=b\r\nabc\r\n0\r\n\r\n")},
      {"ChunkExtensionBare", chunked("3;\r\nabc\r\n0\r\n\r\n")},
      {"ChunkExtensionOnLast", chunked("0;x\r\n\r\n")},
      {"ChunkBareLf", chunked("3\nabc\r\n0\r\n\r\n")},
      {"ChunkBareLfAfterData", chunked("3\r\nabc\n0\r\n\r\n")},
      {"ChunkLongerThanSaid", chunked("3\r\nabcd\r\n0\r\n\r\n")},
      {"ChunkNegative", chunked("-3\r\nabc\r\n0\r\n\r\n")},
      {"ChunkHexPrefix", chunked("0x3\r\nabc\r\n0\r\n\r\n")},
      {"ChunkBlankAfterSize", chunked("3 \r\nabc\r\n0\r\n\r\n")},
      {"ChunkBlankBeforeSize", chunked(" 3\r\nabc\r\n0\r\n\r\n")},
      {"ChunkEmptySize", chunked("\r\nabc\r\n0\r\n\r\n")},
      {"ChunkOverflow", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n")},
      {"ChunkHuge", chunked("ffffffffffffff\r\n" + std::string(11U << 20, 'x')), Code::body_too_large},
      {"Trailer", chunked("3\r\nabc\r\n0\r\nX: y\r\n\r\n")},
      {"TrailerLength", chunked("0\r\nContent-Length: 5\r\n\r\nabcde")},
      {"ChunkLinesOutOfProportion", chunked(std::string(80'000, '0') + "1\r\na\r\n0\r\n\r\n")},
      {"BytesAfterClose", get("Connection: close\r\n") + "GET /x HTTP/1.1\r\n"},
      {"BytesAfterHttp10", "GET / HTTP/1.0\r\nHost: a\r\n\r\nGET /"},
      {"LongRequestLine", "GET /" + std::string(5000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", Code::target_too_long},
      {"LongHead", get("X: " + std::string(9000, 'a') + "\r\n"), Code::head_too_large},
      {"TlsClientHello", "\x16\x03\x01\x02\x01\x01"},
      {"Garbage", std::string("\xff\xfe\xfd\xfc")},
  };
  return all;
}

struct Outcome {
  RequestReader::State state;
  Code code{};
  std::string why, bodies;
  std::size_t messages = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::string_view bytes, std::size_t step) {
  RequestReader reader{HttpLimits{}};
  Outcome outcome{};
  while (!bytes.empty() && reader.state() != RequestReader::State::failed) {
    auto part = bytes.substr(0, step);
    bytes.remove_prefix(part.size());
    while (!part.empty() && reader.state() != RequestReader::State::failed) {
      part.remove_prefix(reader.feed(part));
      if (reader.state() != RequestReader::State::complete || (!part.empty() && !reader.head().keep_alive)) continue;
      if (!reader.head().keep_alive) break;
      ++outcome.messages;
      outcome.bodies += reader.body() + "|";
      reader.next();
    }
  }
  outcome.state = reader.state();
  if (reader.state() == RequestReader::State::failed) {
    outcome.code = reader.error().code;
    outcome.why = reader.error().detail;
  }
  return outcome;
}

class HttpFraming : public testing::TestWithParam<std::size_t> {};

TEST_P(HttpFraming, EveryAttackIsRefused) {
  for (const auto& attack : attacks()) {
    const auto outcome = read(attack.bytes, GetParam());
    EXPECT_EQ(outcome.state, RequestReader::State::failed) << attack.name;
    EXPECT_EQ(info(outcome.code).name, info(attack.code).name) << attack.name << ": " << outcome.why;
    EXPECT_EQ(outcome.messages, 0U) << attack.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Cuts, HttpFraming, testing::Values(1, 2, 3, 7, 64, 1U << 24));

TEST(HttpFramingDifferential, ByteAtATimeEndsAsAllAtOnce) {
  std::vector<std::string> inputs;
  for (const auto& attack : attacks()) inputs.push_back(attack.bytes);
  inputs.push_back(get() + post("Content-Length: 5\r\n", "hello") + chunked("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") +
                   get());
  inputs.push_back(get("Connection: close\r\n"));
  inputs.push_back("GET / HTTP/1.1\r\nHost: a\r\nX: unfinished");
  for (const auto& input : inputs) {
    const auto whole = read(input, 1U << 24);
    for (const std::size_t step : {1U, 2U, 5U, 17U}) EXPECT_EQ(read(input, step), whole) << input.substr(0, 200);
  }
}

}  // namespace
}  // namespace sallyport::net
