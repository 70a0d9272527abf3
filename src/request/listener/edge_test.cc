#include "request/listener/edge.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

using net::HeaderView;
using net::RequestHead;

net::Peer peer(const char* ip = "127.0.0.1") { return {.address = *IpAddress::parse(ip), .ip = ip}; }

RequestHead head(std::vector<HeaderView> headers, std::string_view method = "POST") {
  headers.insert(headers.begin(), {"Host", "localhost:8000"});
  return {.method = method, .target = "/mcp", .path = "/mcp", .headers = std::move(headers)};
}

Edge edge(EdgeSettings settings = {}) {
  auto made = Edge::make(settings);
  EXPECT_TRUE(made) << made.error().detail;
  return *made;
}

TEST(Edge, S0_32_HostsAreExactNamesAndSuffixes) {
  const auto e = edge({.hosts = {"localhost", "127.0.0.1", "[::1]", "*.example.com", "gate.test:8443"}});
  for (const char* good : {"localhost:8000", "LOCALHOST:8000", "localhost", "127.0.0.1:8000", "[::1]:8000", "[::1]",
                           "a.example.com", "a.b.EXAMPLE.com:8000", "gate.test:8443"}) {
    EXPECT_TRUE(e.host_allowed(good)) << good;
  }
  for (const char* bad :
       {"evil.test", "localhost:9000", "localhost.", "example.com", ".example.com", "aexample.com",
        "a.example.com.evil.test", "a.example.com:1", "gate.test", "gate.test:8000", "127.0.0.1.nip.io", "[::1", "::1",
        "localhost:", "localhost:080000", "localhost:+8000", "", ":8000", "user@localhost"}) {
    EXPECT_FALSE(e.host_allowed(bad)) << bad;
  }
}

TEST(Edge, S0_31_OriginsAreListedOrOurOwn) {
  const auto e = edge({.origins = {"https://console.example.com", "http://localhost:5173"}});
  const auto code = [&](std::vector<HeaderView> headers) {
    return e.inspect(head(std::move(headers)), peer()).decision.allow;
  };
  EXPECT_TRUE(code({})) << "not a browser";
  EXPECT_TRUE(code({{"Origin", "https://console.example.com"}}));
  EXPECT_TRUE(code({{"Origin", "http://localhost:8000"}})) << "our own page";
  for (const char* bad : {"null", "https://evil.test", "http://console.example.com", "https://console.example.com:444",
                          "https://console.example.com.evil.test", "https://localhost:8000", "http://localhost:8001",
                          "", "https://console.example.com, null"}) {
    EXPECT_FALSE(code({{"Origin", bad}})) << bad;
  }
  EXPECT_FALSE(code({{"Origin", "https://console.example.com"}, {"Origin", "https://evil.test"}}));
}

TEST(Edge, RefusalsSayWhich) {
  const auto e = edge();
  auto request = head({});
  request.headers[0].value = "evil.test";
  const auto host = e.inspect(request, peer());
  EXPECT_EQ(host.code, Code::bad_host);
  EXPECT_EQ(Edge::refusal(host).status, 403);
  EXPECT_EQ(Edge::refusal(host).body.find("evil"), std::string::npos) << "nothing of the caller's is echoed";
  EXPECT_EQ(e.inspect(head({{"Origin", "null"}}), peer()).code, Code::bad_origin);
  net::Peer local{.ip = "local", .is_local_socket = true};
  EXPECT_TRUE(e.inspect(request, local).decision.allow);
}

TEST(Edge, C15_PreflightNamesWhatIsAllowed) {
  const auto e = edge({.origins = {"https://console.example.com"}});
  const auto request = head({{"Origin", "https://console.example.com"},
                             {"Access-Control-Request-Method", "POST"},
                             {"Access-Control-Request-Headers", "mcp-name, x-evil, authorization"}},
                            "OPTIONS");
  const auto verdict = e.inspect(request, peer());
  ASSERT_TRUE(verdict.preflight);
  const auto response = Edge::preflight_response(request);
  EXPECT_EQ(response.status, 204);
  std::string all;
  for (const auto& [name, value] : response.headers) all += name + ": " + value + "\n";
  EXPECT_NE(all.find("Access-Control-Allow-Origin: https://console.example.com\n"), std::string::npos);
  EXPECT_NE(all.find("Access-Control-Allow-Credentials: true"), std::string::npos);
  EXPECT_NE(all.find("Methods: GET, POST, PUT, DELETE"), std::string::npos);
  for (const char* name : {"Authorization", "Content-Type", "Mcp-Session-Id", "MCP-Protocol-Version", "X-API-Key",
                           "Last-Event-ID", "mcp-name"}) {
    EXPECT_NE(all.find(name), std::string::npos) << name;
  }
  EXPECT_EQ(all.find("x-evil"), std::string::npos);
  EXPECT_NE(all.find("X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After"), std::string::npos);
}

TEST(Edge, C15_EmptyMeansNoCors) {
  const auto e = edge();
  const auto own = head({{"Origin", "http://localhost:8000"}, {"Access-Control-Request-Method", "POST"}}, "OPTIONS");
  const auto verdict = e.inspect(own, peer());
  EXPECT_TRUE(verdict.decision.allow);
  EXPECT_FALSE(verdict.preflight);
  EXPECT_TRUE(Edge::cors_headers(verdict.cors_origin).empty());
}

TEST(Edge, C15_RefusesTheWildcardAndNonsense) {
  for (const char* origin :
       {"*", "https://*.example.com", "console.example.com", "https://a/b", "https://a/", "null", "file://"}) {
    EXPECT_FALSE(Edge::make({.origins = {origin}})) << origin;
  }
  for (const char* host : {"*", "*.", "", "a b", "host:0x", "host.", "http://host", "*.*.com"}) {
    EXPECT_FALSE(Edge::make({.hosts = {host}})) << host;
  }
  EXPECT_FALSE(Edge::make({.trusted_proxies = {"10.0.0.0/40"}}));
}

TEST(Edge, S1_4_S4_18_C14_SecurityHeaders) {
  const auto e = edge();
  const auto& plain = e.common_headers(false);
  for (const char* line :
       {"X-Content-Type-Options: nosniff\r\n", "X-Frame-Options: DENY\r\n", "X-XSS-Protection: 1; mode=block\r\n",
        "Referrer-Policy: strict-origin-when-cross-origin\r\n",
        "Permissions-Policy: geolocation=(), microphone=(), camera=()\r\n",
        "Content-Security-Policy: default-src 'self';"}) {
    EXPECT_NE(plain.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(plain.find("unsafe"), std::string::npos);
  EXPECT_EQ(plain.find("Strict-Transport"), std::string::npos) << "C14: not over plain HTTP";
  EXPECT_NE(e.common_headers(true).find("Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"),
            std::string::npos);
}

TEST(Edge, S1_31_ForwardingOnlyFromATrustedProxy) {
  const auto e = edge({.trusted_proxies = {"10.0.0.0/8"}});
  const auto forwarded = [&](const char* from, std::vector<HeaderView> headers) {
    return e.inspect(head(std::move(headers)), peer(from));
  };
  EXPECT_EQ(forwarded("192.168.0.9", {{"X-Forwarded-For", "1.2.3.4"}, {"X-Forwarded-Proto", "https"}}).client_ip,
            "192.168.0.9");
  EXPECT_FALSE(forwarded("192.168.0.9", {{"X-Forwarded-Proto", "https"}}).secure);
  EXPECT_EQ(forwarded("10.0.0.1", {{"X-Forwarded-For", "1.2.3.4"}}).client_ip, "1.2.3.4");
  EXPECT_EQ(forwarded("10.0.0.1", {{"X-Forwarded-For", "6.6.6.6, 1.2.3.4, 10.0.0.7"}}).client_ip, "1.2.3.4")
      << "6.6.6.6 was claimed";
  EXPECT_EQ(forwarded("10.0.0.1", {{"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-For", "1.2.3.4"}}).client_ip,
            "1.2.3.4");
  EXPECT_EQ(forwarded("10.0.0.1", {{"X-Forwarded-For", "evil"}}).client_ip, "10.0.0.1");
  EXPECT_EQ(forwarded("10.0.0.1", {{"X-Forwarded-For", "1.2.3.4, evil, 10.0.0.7"}}).client_ip, "10.0.0.7");
  EXPECT_EQ(forwarded("10.0.0.1", {{"X-Real-IP", "1.2.3.4"}}).client_ip, "1.2.3.4");
  EXPECT_TRUE(forwarded("10.0.0.1", {{"X-Forwarded-Proto", "https"}}).secure);
  EXPECT_FALSE(forwarded("10.0.0.1", {{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "http"}}).secure);
  EXPECT_NE(forwarded("10.0.0.1", {{"X-Forwarded-Proto", "https"}}).common_headers.find("Strict-Transport"),
            std::string_view::npos);
}

TEST(Edge, C14_HstsWhereTheConnectionItselfIsTls) {
  const auto e = edge({.trusted_proxies = {"10.0.0.0/8"}});
  auto over_tls = peer("192.168.0.9");
  over_tls.secure = true;
  const auto verdict = e.inspect(head({{"X-Forwarded-Proto", "http"}}), over_tls);
  EXPECT_TRUE(verdict.secure) << "a stranger's header takes nothing away";
  EXPECT_NE(verdict.common_headers.find("Strict-Transport"), std::string_view::npos);
  EXPECT_FALSE(e.inspect(head({}), peer("192.168.0.9")).secure);
}

// threats.md section 2: internal headers with a literal key chose the upstream.
TEST(EdgeAbuse, InternalHeadersAreStripped) {
  auto request = head({{"X-Sallyport-Principal", "admin"}, {"x-sallyport-", "1"}, {"X-Sally", "kept"}});
  EXPECT_EQ(strip_internal_headers(request), 2U);
  EXPECT_EQ(request.count("x-sallyport-principal"), 0U);
  EXPECT_EQ(request.count("X-Sally"), 1U);
}

}  // namespace
}  // namespace sallyport
