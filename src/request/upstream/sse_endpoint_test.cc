// Where an HTTP+SSE server may send our messages: nowhere but to its own origin (mcp-spec.md, 2.2).
#include <gtest/gtest.h>

#include "request/upstream/sse_connection.h"

namespace sallyport::upstream {
namespace {

Result<std::string> resolve(std::string_view endpoint, std::string_view stream = "https://tools.example/mcp/sse?k=1") {
  return endpoint_path(*net::parse_url(stream), endpoint);
}

TEST(SseEndpoint, IsResolvedAgainstTheStream) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"/messages?sessionId=a", "/messages?sessionId=a"},
      {"messages?sessionId=a", "/mcp/messages?sessionId=a"},
      {"?sessionId=a", "/mcp/sse?sessionId=a"},
      {"https://tools.example/x?y=/z:1", "/x?y=/z:1"},
      {"https://tools.example:443/x", "/x"},
      {"HTTPS://TOOLS.EXAMPLE/x", "/x"},
      {"//tools.example/x", "/x"},
      {"/x?back=http://other.example/", "/x?back=http://other.example/"},
      {"/a/..b/.c", "/a/..b/.c"}};
  for (const auto& [endpoint, path] : table) EXPECT_EQ(resolve(endpoint).value_or("-"), path) << endpoint;
  EXPECT_EQ(resolve("m", "http://127.0.0.1:8080").value_or("-"), "/m");
}

TEST(SseEndpointAbuse, AnotherOriginOrNoUriIsRefusedWithoutRepeatingIt) {
  for (const auto* endpoint : {"",
                               "http://tools.example/x",
                               "https://tools.example:8443/x",
                               "https://evil.example/x",
                               "//evil.example/x",
                               "https://tools.example.evil.example/x",
                               "https://tools.example@evil.example/x",
                               "https://169.254.169.254/x",
                               "https:/tools.example/x",
                               "https:x",
                               "ftp://tools.example/x",
                               "javascript:alert(1)",
                               "file:///etc/passwd",
                               "evil.example:443",
                               "/a b",
                               "/a\r\nHost: evil.example",
                               "/a#b",
                               "/a/../../admin",
                               "/./a",
                               "../a",
                               "a/..",
                               "https://tools.example./x",
                               "https://[::1]/x"}) {
    const auto path = resolve(endpoint);
    ASSERT_FALSE(path) << endpoint << " -> " << *path;
    EXPECT_EQ(path.error().code, Code::upstream_protocol);
    EXPECT_EQ(path.error().detail.find("evil"), std::string::npos);
  }
  EXPECT_FALSE(resolve("/" + std::string(4'000, 'x')));
}

}  // namespace
}  // namespace sallyport::upstream
