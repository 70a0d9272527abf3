#include "cli/stdio_bridge.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace sallyport::cli {
namespace {

struct Seen {
  std::string method, head, body;
  [[nodiscard]] bool has(std::string_view header) const { return head.find(header) != std::string::npos; }
};

std::string json_answer(const std::string& body, const std::string& extra = "") {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + extra +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string empty_answer(int status) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n\r\n";
}
std::string events(const std::string& text) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + text;
}

// A gateway of a few lines: blocking sockets, a thread a connection, answers by a function.
class FakeGateway {
 public:
  using Answer = std::function<std::string(const Seen&)>;
  explicit FakeGateway(Answer answer)
      : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* as = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, as, sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(listener_, as, &size), 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  ~FakeGateway() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    connections_.clear();
    ::close(listener_);
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/mcp"; }
  std::vector<Seen> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void accept_all() {
    for (int fd = ::accept(listener_, nullptr, nullptr); fd >= 0; fd = ::accept(listener_, nullptr, nullptr)) {
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      connections_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    std::string buffer;
    char bytes[4096];
    for (ssize_t n = 0; (n = ::recv(fd, bytes, sizeof bytes, 0)) > 0;) {
      buffer.append(bytes, static_cast<std::size_t>(n));
      while (true) {
        const auto end = buffer.find("\r\n\r\n");
        if (end == std::string::npos) break;
        std::size_t length = 0;
        const auto at = buffer.find("Content-Length: ");
        if (at < end) length = std::stoul(buffer.substr(at + 16));
        if (buffer.size() < end + 4 + length) break;
        Seen one{buffer.substr(0, buffer.find(' ')), buffer.substr(0, end), buffer.substr(end + 4, length)};
        buffer.erase(0, end + 4 + length);
        {
          const std::lock_guard lock(mutex_);
          seen_.push_back(one);
        }
        const std::string answer = answer_(one);
        (void)::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
        if (answer.find("Connection: close") != std::string::npos && answer.find("stay open") == std::string::npos) {
          ::shutdown(fd, SHUT_RDWR);
        }
      }
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
  }

  Answer answer_;
  int listener_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<Seen> seen_;
  std::vector<std::jthread> connections_;
  std::jthread acceptor_;
};

// The client's side: a pipe, and what came out.
class Client {
 public:
  explicit Client(const std::string& url) {
    EXPECT_EQ(::pipe(pipe_), 0);
    thread_ = std::jthread([this, url] {
      BridgeOptions options;
      options.url = url;
      options.key = Secret("mcp_test");
      options.in_fd = pipe_[0];
      options.out = [this](std::string_view line) {
        const std::lock_guard lock(mutex_);
        lines_.emplace_back(line);
        changed_.notify_all();
      };
      options.log = [this](std::string_view line) {
        const std::lock_guard lock(mutex_);
        logged_ += std::string(line) + "\n";
      };
      code_ = run_bridge(std::move(options));
    });
  }
  ~Client() {
    end();
    ::close(pipe_[0]);
  }
  void say(const std::string& line) {
    EXPECT_EQ(::write(pipe_[1], (line + "\n").data(), line.size() + 1), static_cast<ssize_t>(line.size() + 1));
  }
  // Waits for `n` lines in all.
  std::vector<std::string> lines(std::size_t n) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return lines_.size() >= n; })) << logged_;
    return lines_;
  }
  int end() {
    if (pipe_[1] >= 0) ::close(pipe_[1]);
    pipe_[1] = -1;
    if (thread_.joinable()) thread_.join();
    return code_;
  }

 private:
  int pipe_[2] = {-1, -1};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  std::string logged_;
  int code_ = -1;
  std::jthread thread_;
};

constexpr const char* kInitialize = R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{}})";
constexpr const char* kInitialized = R"({"jsonrpc":"2.0","method":"notifications/initialized"})";
constexpr const char* kInitializeResult = R"({"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18"}})";

std::string ordinary(const Seen& r) {
  if (r.method == "GET") return empty_answer(405);
  if (r.method == "DELETE") return empty_answer(204);
  if (r.body.find("\"initialize\"") != std::string::npos)
    return json_answer(kInitializeResult, "Mcp-Session-Id: s1\r\n");
  if (r.body.find("notifications/") != std::string::npos) return empty_answer(202);
  return json_answer(R"({"jsonrpc": "2.0",)"
                     "\n"
                     R"( "id": 1, "result": {}})");
}

TEST(StdioBridge, CarriesASessionFromBeginToEnd) {
  FakeGateway gateway(ordinary);
  Client client(gateway.url());
  client.say(kInitialize);
  client.say(kInitialized);
  client.say(R"({"jsonrpc":"2.0", "id":1, "method":"tools/list"})");
  const auto lines = client.lines(2);
  EXPECT_EQ(lines[0], kInitializeResult);
  EXPECT_EQ(lines[1], R"({"jsonrpc":"2.0","id":1,"result":{}})");  // one line, whatever the gateway sent
  EXPECT_EQ(client.end(), 0);
  const auto seen = gateway.seen();
  ASSERT_GE(seen.size(), 4U);
  EXPECT_TRUE(seen[0].has("Authorization: Bearer mcp_test"));
  EXPECT_FALSE(seen[0].has("Mcp-Session-Id"));
  for (std::size_t i = 1; i < seen.size(); ++i) {
    EXPECT_TRUE(seen[i].has("Mcp-Session-Id: s1")) << seen[i].head;
    EXPECT_TRUE(seen[i].has("MCP-Protocol-Version: 2025-06-18")) << seen[i].head;
  }
  EXPECT_EQ(seen.back().method, "DELETE");
}

TEST(StdioBridge, PrintsEachEventOfAnAnswerOnALine) {
  FakeGateway gateway([](const Seen& r) {
    if (r.body.find("tools/call") == std::string::npos) return ordinary(r);
    return events(": hello\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\ndata: "
                  "{\"jsonrpc\":\"2.0\",\ndata: \"id\":1,\"result\":{}}\n\n");
  });
  Client client(gateway.url());
  client.say(kInitialize);
  client.say(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}})");
  const auto lines = client.lines(3);
  EXPECT_EQ(lines[1], R"({"jsonrpc":"2.0","method":"notifications/progress"})");
  EXPECT_EQ(lines[2], R"({"jsonrpc":"2.0","id":1,"result":{}})");
}

TEST(StdioBridge, PrintsWhatTheGetStreamBrings) {
  FakeGateway gateway([](const Seen& r) {
    if (r.method != "GET") return ordinary(r);
    return events(": stay open\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n");
  });
  Client client(gateway.url());
  client.say(kInitialize);
  client.say(kInitialized);
  EXPECT_EQ(client.lines(2)[1], R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
  EXPECT_EQ(client.end(), 0);
}

TEST(StdioBridge, BeginsAgainWhenTheGatewayForgotTheSession) {
  std::atomic<int> sessions{0};
  FakeGateway gateway([&](const Seen& r) {
    if (r.body.find("\"initialize\"") != std::string::npos)
      return json_answer(kInitializeResult, "Mcp-Session-Id: s" + std::to_string(++sessions) + "\r\n");
    if (r.body.find("tools/list") != std::string::npos && r.has("Mcp-Session-Id: s1")) return empty_answer(404);
    return ordinary(r);
  });
  Client client(gateway.url());
  client.say(kInitialize);
  client.say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
  const auto lines = client.lines(2);
  EXPECT_EQ(lines[1], R"({"jsonrpc":"2.0","id":1,"result":{}})");
  EXPECT_EQ(client.end(), 0);
  EXPECT_EQ(sessions, 2);
  EXPECT_EQ(client.lines(2).size(), 2U);  // the second initialize was not the client's
}

TEST(StdioBridge, TurnsRefusalsIntoAnswersOfTheRequest) {
  FakeGateway gateway([](const Seen&) {
    const std::string body = R"({"error":{"code":"authentication_failed","message":"The credential is not valid"}})";
    return "HTTP/1.1 401 X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  });
  Client client(gateway.url());
  client.say(kInitialize);
  const auto lines = client.lines(1);
  EXPECT_NE(lines[0].find(R"("id":0,"error":{"code":)"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("The credential is not valid"), std::string::npos);
}

TEST(StdioBridge, AnswersWhenNobodyListens) {
  Client client("http://127.0.0.1:1/mcp");
  client.say(R"({"jsonrpc":"2.0","id":"a","method":"ping"})");
  EXPECT_NE(client.lines(1)[0].find(R"("id":"a","error":{)"), std::string::npos);
  EXPECT_EQ(client.end(), 0);
}

TEST(StdioBridgeAbuse, LinesThatAreNoMessageAreAnsweredAndNeverSent) {
  FakeGateway gateway(ordinary);
  Client client(gateway.url());
  for (const char* line : {"garbage", "[]", R"({"id":1,"id":2})", "{\"a\":\"\xff\"}"}) client.say(line);
  for (const std::string& line : client.lines(4))
    EXPECT_NE(line.find(R"("id":null,"error":{"code":-32700)"), std::string::npos) << line;
  EXPECT_EQ(client.end(), 0);
  EXPECT_TRUE(gateway.seen().empty());
}

TEST(StdioBridge, AnswersWhatIsInFlightWhenTheInputEnds) {
  FakeGateway gateway(ordinary);
  Client client(gateway.url());
  client.say(kInitialize);
  for (int i = 0; i < 100; ++i) client.say(R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
  EXPECT_EQ(client.end(), 0);
  EXPECT_EQ(client.lines(101).size(), 101U);
}

}  // namespace
}  // namespace sallyport::cli
