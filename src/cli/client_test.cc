// The way to the gateway: an order that it may have taken is never given twice.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "cli/test_support.h"

namespace sallyport::cli {
namespace {

// Takes one request and dies: what it was sent, then `answer` and the end.
class DyingGateway {
 public:
  DyingGateway(const std::string& home, std::string answer)
      : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), answer_(std::move(answer)) {
    sockaddr_un place{.sun_family = AF_UNIX, .sun_path = {}};
    (home + "/admin.sock").copy(place.sun_path, sizeof place.sun_path - 1);
    listening = ::bind(fd_, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0 && ::listen(fd_, 4) == 0;
    if (listening) thread_ = std::thread([this] { take(); });
  }
  ~DyingGateway() {
    ::shutdown(fd_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    ::close(fd_);
  }
  DyingGateway(const DyingGateway&) = delete;
  DyingGateway& operator=(const DyingGateway&) = delete;
  bool listening = false;

 private:
  void take() const {
    const int peer = ::accept(fd_, nullptr, nullptr);
    if (peer < 0) return;
    std::array<char, 4096> taken{};
    (void)!::read(peer, taken.data(), taken.size());
    (void)!::write(peer, answer_.data(), answer_.size());
    ::close(peer);
  }
  int fd_;
  std::string answer_;
  std::thread thread_;
};

TEST(Client, AnOrderThatTheGatewayMayHaveTakenIsNotGivenAgain) {
  for (const char* answer : {"", "HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{\"serial\":"}) {
    FakeApi api("client_cut");
    api.answers["POST /api/v1/certificates"] = {201, R"({"serial":"0a","kind":"client","name":"once"})"};
    const DyingGateway gateway(api.home, answer);
    ASSERT_TRUE(gateway.listening);
    EXPECT_EQ(api.run({"certs", "issue", "client", "once"}), 5);
    EXPECT_TRUE(api.calls.empty()) << api.calls.back();
    EXPECT_NE(api.err.find("may have been carried out"), std::string::npos) << api.err;
    EXPECT_NE(api.err.find("fix: look before it is ordered again: sallyport --home " + api.home + " certs list"),
              std::string::npos)
        << api.err;
  }
}

TEST(Client, AQuestionThatGotNoAnswerIsNoOrder) {
  FakeApi api("client_question");
  const DyingGateway gateway(api.home, "");
  ASSERT_TRUE(gateway.listening);
  EXPECT_EQ(api.run({"status"}), 5);
  EXPECT_EQ(api.err.find("may have been carried out"), std::string::npos) << api.err;
}

// A socket that a crash left behind: nobody took anything.
TEST(Client, WhereNobodyListensTheOrderIsCarriedOutInProcess) {
  FakeApi api("client_stale");
  api.answers["POST /api/v1/certificates"] = {201, R"({"serial":"0a","kind":"client","name":"once"})"};
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un place{.sun_family = AF_UNIX, .sun_path = {}};
  (api.home + "/admin.sock").copy(place.sun_path, sizeof place.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
  ::close(fd);
  EXPECT_EQ(api.run({"certs", "issue", "client", "once"}), 0) << api.err;
  EXPECT_EQ(api.calls.size(), 1U);
}

}  // namespace
}  // namespace sallyport::cli
