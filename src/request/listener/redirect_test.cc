#include "request/listener/redirect.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace sallyport {
namespace {

class RedirectTest : public testing::Test {
 protected:
  RedirectTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-acme-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~RedirectTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] net::Response ask(std::string_view host, std::string_view target, std::string_view method = "GET",
                                  std::uint16_t port = 8443) const {
    net::RequestHead head;
    head.method = method;
    head.target = target;
    head.path = target.substr(0, target.find('?'));
    head.headers = {{"Host", host}};
    const Redirect redirect(edge_, {port, folder_}, [] { return std::string("id"); }, [](const auto&, const auto&) {});
    return redirect.answer(head);
  }
  static std::string location(const net::Response& response) {
    for (const auto& [name, value] : response.headers) {
      if (name == "Location") return value;
    }
    return "";
  }

  Edge edge_ = *Edge::make({.port = 8080, .hosts = {"localhost", "*.example.com"}});
  std::string folder_;
};

TEST_F(RedirectTest, LeadsToTheSamePlaceOverHttps) {
  const auto answer = ask("localhost:8080", "/mcp?x=1");
  EXPECT_EQ(answer.status, 301);
  EXPECT_EQ(location(answer), "https://localhost:8443/mcp?x=1");
  EXPECT_TRUE(answer.close);
  EXPECT_EQ(location(ask("a.example.com", "/", "GET", 443)), "https://a.example.com/") << "443 need not be said";
  EXPECT_EQ(location(ask("[::1]", "/")), "https://[::1]:8443/");
  EXPECT_EQ(ask("localhost", "/mcp", "POST").status, 308);
}

TEST_F(RedirectTest, ATargetCannotLeadElsewhere) {
  EXPECT_EQ(location(ask("localhost", "//evil.example/")), "https://localhost:8443//evil.example/");
  EXPECT_EQ(location(ask("localhost", "/@evil.example/")), "https://localhost:8443/@evil.example/");
}

TEST_F(RedirectTest, AHostThatIsNoNameLeadsNowhere) {
  for (const char* host : {"", "evil.com/.example.com", "evil.com#.example.com", "evil.com?.example.com",
                           "user@evil.example.com", "a\\.example.com", "a b.example.com"}) {
    const auto answer = ask(host, "/");
    EXPECT_EQ(answer.status, 400) << host;
    EXPECT_EQ(location(answer), "") << host;
  }
}

TEST_F(RedirectTest, AnswersTheTokensOfAcmeAlone) {
  std::ofstream(folder_ + "/Token-1_x") << "Token-1_x.print\n";
  std::ofstream(folder_ + "/empty") << "";
  std::filesystem::create_directory(folder_ + "/folder");
  std::filesystem::create_symlink("/etc/hostname", folder_ + "/link");
  const auto answer = ask("localhost", "/.well-known/acme-challenge/Token-1_x");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "Token-1_x.print");
  for (const std::string bad : {"", "nothing", "empty", "folder", "link", "..", "../x", "a/b", "a.b", "%54oken-1_x"}) {
    EXPECT_EQ(ask("localhost", "/.well-known/acme-challenge/" + bad).status, 404) << bad;
  }
  EXPECT_EQ(ask("localhost", "/.well-known/acme-challenge/Token-1_x", "POST").status, 308);
}

}  // namespace
}  // namespace sallyport
