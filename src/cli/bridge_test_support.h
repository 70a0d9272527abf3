// For tests of the stdio bridge: a gateway of a few lines (blocking sockets, a thread a connection, answers by a function)
// and the client's side, a pipe and what came out of the bridge.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/stdio_bridge.h"

namespace sallyport::cli::testing {

class FakeGateway;

struct Seen {
  std::string method, head, body;
  FakeGateway* gateway = nullptr;
  int fd = -1;

  [[nodiscard]] bool has(std::string_view header) const { return head.find(header) != std::string::npos; }
  [[nodiscard]] bool says(std::string_view text) const { return body.find(text) != std::string::npos; }
  // Inside an answer: a first part of it; and blocks until the bridge closes the connection.
  void send(std::string_view bytes) const;
  void wait_closed() const;
};

std::string json_answer(const std::string& body, const std::string& extra = "", int status = 200);
std::string empty_answer(int status);
// A stream that ends after `text`; one that stays open; one that was sent before as the head of it.
std::string events(const std::string& text);
std::string open_events(const std::string& text);
std::string event(const std::string& data, const std::string& id = "");

class FakeGateway {
 public:
  using Answer = std::function<std::string(const Seen&)>;  // "": the connection is closed without a word
  explicit FakeGateway(Answer answer);
  ~FakeGateway();
  FakeGateway(const FakeGateway&) = delete;
  FakeGateway& operator=(const FakeGateway&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/mcp"; }
  std::vector<Seen> seen();
  // The requests that fit.
  std::vector<Seen> seen(const std::function<bool(const Seen&)>& fits);
  // Blocks until such a request has come; it.
  Seen wait_for(const std::function<bool(const Seen&)>& fits);
  // No further connection is taken, and those there are end.
  void stop();

 private:
  void accept_all();
  void serve(int fd);
  bool answer_one(int fd, Seen one);

  Answer answer_;
  int listener_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable came_;
  bool stopped_ = false;
  std::vector<int> open_;
  std::list<Seen> seen_;
  std::vector<std::jthread> connections_;
  std::jthread acceptor_;
};

class Client {
 public:
  explicit Client(const std::string& url);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void say(const std::string& line);
  // Waits for `n` lines in all.
  std::vector<std::string> lines(std::size_t n);
  // Ends the input; the exit code.
  int end();
  // After end().
  [[nodiscard]] const std::string& logged() const { return logged_; }

 private:
  int pipe_[2] = {-1, -1};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  std::string logged_;
  int code_ = -1;
  std::jthread thread_;
};

inline constexpr const char* kInitialize = R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{}})";
inline constexpr const char* kInitialized = R"({"jsonrpc":"2.0","method":"notifications/initialized"})";
inline constexpr const char* kInitializeResult =
    R"({"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18"}})";

// A legacy gateway without a GET stream that answers every other request with an empty result for its id.
std::string ordinary(const Seen& request);
// {"jsonrpc":"2.0","id":ID,"result":RESULT} for the id in the request's body.
std::string result_for(const Seen& request, const std::string& result = "{}");

}  // namespace sallyport::cli::testing
