#include "cli/bridge_test_support.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "json/document.h"
#include "json/slice.h"

namespace sallyport::cli::testing {

void Seen::send(std::string_view bytes) const { (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

void Seen::wait_closed() const {
  char byte = 0;
  while (::recv(fd, &byte, 1, 0) > 0) {
  }
}

std::string json_answer(const std::string& body, const std::string& extra, int status) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\n" + extra +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string empty_answer(int status) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n\r\n";
}
std::string events(const std::string& text) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + text;
}
std::string open_events(const std::string& text) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX: stay open\r\n\r\n" + text;
}
std::string event(const std::string& data, const std::string& id) {
  return (id.empty() ? "" : "id: " + id + "\n") + "data: " + data + "\n\n";
}

FakeGateway::FakeGateway(Answer answer)
    : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* as = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listener_, as, sizeof address), 0);
  EXPECT_EQ(::listen(listener_, 128), 0);
  socklen_t size = sizeof address;
  EXPECT_EQ(::getsockname(listener_, as, &size), 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { accept_all(); });
}

FakeGateway::~FakeGateway() {
  stop();
  connections_.clear();
}

void FakeGateway::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
}

std::vector<Seen> FakeGateway::seen() {
  return seen([](const Seen&) { return true; });
}

std::vector<Seen> FakeGateway::seen(const std::function<bool(const Seen&)>& fits) {
  const std::lock_guard lock(mutex_);
  std::vector<Seen> out;
  std::ranges::copy_if(seen_, std::back_inserter(out), fits);
  return out;
}

Seen FakeGateway::wait_for(const std::function<bool(const Seen&)>& fits) {
  std::unique_lock lock(mutex_);
  auto found = seen_.end();
  const bool came = came_.wait_for(lock, std::chrono::seconds(20), [&] {
    found = std::ranges::find_if(seen_, fits);
    return found != seen_.end();
  });
  EXPECT_TRUE(came);
  return came ? *found : Seen{};
}

void FakeGateway::accept_all() {
  for (int fd = ::accept(listener_, nullptr, nullptr); fd >= 0; fd = ::accept(listener_, nullptr, nullptr)) {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      ::close(fd);
      continue;
    }
    open_.push_back(fd);
    connections_.emplace_back([this, fd] { serve(fd); });
  }
}

void FakeGateway::serve(int fd) {
  std::string buffer;
  char bytes[4096];
  bool open = true;
  for (ssize_t n = 0; open && (n = ::recv(fd, bytes, sizeof bytes, 0)) > 0;) {
    buffer.append(bytes, static_cast<std::size_t>(n));
    while (open) {
      const auto end = buffer.find("\r\n\r\n");
      if (end == std::string::npos) break;
      std::size_t length = 0;
      const auto at = buffer.find("Content-Length: ");
      if (at < end) length = std::stoul(buffer.substr(at + 16));
      if (buffer.size() < end + 4 + length) break;
      Seen one{buffer.substr(0, buffer.find(' ')), buffer.substr(0, end), buffer.substr(end + 4, length), this, fd};
      buffer.erase(0, end + 4 + length);
      open = answer_one(fd, std::move(one));
    }
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, fd);
  ::close(fd);
}

bool FakeGateway::answer_one(int fd, Seen one) {
  {
    const std::lock_guard lock(mutex_);
    seen_.push_back(one);
    came_.notify_all();
  }
  const std::string answer = answer_(one);
  (void)::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
  const bool close = answer.empty() || answer.find("Connection: close") != std::string::npos;
  if (close) ::shutdown(fd, SHUT_RDWR);
  return !close;
}

Client::Client(const std::string& url) {
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

Client::~Client() {
  end();
  ::close(pipe_[0]);
}

void Client::say(const std::string& line) {
  EXPECT_EQ(::write(pipe_[1], (line + "\n").data(), line.size() + 1), static_cast<ssize_t>(line.size() + 1));
}

std::vector<std::string> Client::lines(std::size_t n) {
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return lines_.size() >= n; })) << logged_;
  auto out = lines_;
  out.resize(std::max(n, out.size()));
  return out;
}

int Client::end() {
  if (pipe_[1] >= 0) ::close(pipe_[1]);
  pipe_[1] = -1;
  if (thread_.joinable()) thread_.join();
  return code_;
}

std::string result_for(const Seen& request, const std::string& result) {
  const auto message = json::read_upstream(request.body);
  const std::string_view id = message ? json::member(*message, "id").value_or("null") : "null";
  return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"result":)" + result + "}";
}

std::string ordinary(const Seen& request) {
  if (request.method == "GET") return empty_answer(405);
  if (request.method == "DELETE") return empty_answer(204);
  if (request.says("\"initialize\"")) return json_answer(kInitializeResult, "Mcp-Session-Id: s1\r\n");
  if (request.says("\"method\":\"notifications/") || !request.says("\"method\"")) return empty_answer(202);
  return json_answer(result_for(request));
}

}  // namespace sallyport::cli::testing
