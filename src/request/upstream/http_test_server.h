// A loopback HTTP server for tests that answers exactly the bytes it is told to, so that it may break every rule.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/task.h"

namespace sallyport::upstream::testing {

using TestSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

struct Seen {
  std::string head;  // start line and fields, lower case
  std::string body;
  [[nodiscard]] bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
  [[nodiscard]] std::string id() const;      // the JSON-RPC id, raw
  [[nodiscard]] std::string method() const;  // of JSON-RPC, or "GET", "DELETE"
};

class Exchange {
 public:
  Exchange(TestSocket& socket, const Seen& request) : request(request), socket_(socket) {}
  Task<void> raw(std::string bytes);
  Task<void> json(std::string body, std::string headers = {}, int status = 200);
  Task<void> result(std::string object, std::string headers = {});
  Task<void> status(int code, std::string headers = {});
  Task<void> begin_sse(std::string headers = {});
  Task<void> event(std::string data, std::string id = {});
  Task<void> named_event(std::string name, std::string data);
  Task<void> end_sse();
  void cut();  // closes without an end
  Task<void> until_closed();  // by the other end
  const Seen& request;

 private:
  Task<void> chunk(std::string text);
  TestSocket& socket_;
};

class TestHttpServer {
 public:
  using Handler = std::function<Task<void>(Exchange&)>;

  TestHttpServer(asio::io_context& context, Handler handler);
  ~TestHttpServer();
  [[nodiscard]] std::string url() const;
  // Requests of one JSON-RPC method (or GET, DELETE), in order.
  [[nodiscard]] std::vector<Seen> of(std::string_view method) const;

  std::vector<Seen> seen;

 private:
  Task<void> accept();
  Task<void> serve(std::shared_ptr<TestSocket> socket);

  asio::io_context& context_;
  Handler handler_;
  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor_;
  std::vector<std::weak_ptr<TestSocket>> sockets_;
  TaskGroup tasks_;
};

}  // namespace sallyport::upstream::testing
