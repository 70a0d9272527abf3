// The bodies of http_test_server.h (compiled with the tests, not into the library).
#include "request/upstream/http_test_server.h"

#include <algorithm>

#include "json/slice.h"
#include "request/upstream/upstream_test_support.h"

namespace sallyport::upstream::testing {

std::string Seen::id() const { return std::string(json::member(body, "id").value_or("")); }

std::string Seen::method() const {
  if (body.empty()) return head.starts_with("get ") ? "GET" : "DELETE";
  return json::decode_string(json::member(body, "method").value_or("")).value_or("answer");
}

Task<void> Exchange::raw(std::string bytes) { co_await asio::async_write(socket_, asio::buffer(bytes), use_task_ec); }

Task<void> Exchange::json(std::string body, std::string headers, int status) {
  return raw("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body);
}

Task<void> Exchange::result(std::string object, std::string headers) {
  return json("{\"jsonrpc\":\"2.0\",\"id\":" + request.id() + ",\"result\":" + object + "}", std::move(headers));
}

Task<void> Exchange::status(int code, std::string headers) {
  return raw("HTTP/1.1 " + std::to_string(code) + " X\r\nContent-Length: 0\r\n" + headers + "\r\n");
}

Task<void> Exchange::begin_sse(std::string headers) {
  return raw("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n" + headers + "\r\n");
}

Task<void> Exchange::chunk(std::string text) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", text.size());
  return raw(size + text + "\r\n");
}

Task<void> Exchange::event(std::string data, std::string id) {
  return chunk((id.empty() ? "" : "id: " + id + "\n") + "data: " + data + "\n\n");
}

Task<void> Exchange::named_event(std::string name, std::string data) {
  return chunk("event: " + name + "\ndata: " + data + "\n\n");
}

Task<void> Exchange::end_sse() { return raw("0\r\n\r\n"); }

void Exchange::cut() { socket_.close(); }

Task<void> Exchange::until_closed() {
  char byte = 0;
  for (;;) {
    const auto [ec, n] = co_await socket_.async_read_some(asio::buffer(&byte, 1), use_task_ec);
    if (ec) break;
  }
  socket_.close();
}

TestHttpServer::TestHttpServer(asio::io_context& context, Handler handler)
    : context_(context),
      handler_(std::move(handler)),
      acceptor_(context.get_executor(), asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      tasks_(context.get_executor(), [](const char* what) { ADD_FAILURE() << what; }) {
  tasks_.spawn(accept());
}

TestHttpServer::~TestHttpServer() { cancel(context_, tasks_); }

std::string TestHttpServer::url() const {
  return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/mcp";
}

std::vector<Seen> TestHttpServer::of(std::string_view method) const {
  std::vector<Seen> out;
  std::ranges::copy_if(seen, std::back_inserter(out), [&](const Seen& s) { return s.method() == method; });
  return out;
}

Task<void> TestHttpServer::accept() {
  for (;;) {
    auto socket = std::make_shared<TestSocket>(context_.get_executor());
    const auto [ec] = co_await acceptor_.async_accept(*socket, use_task_ec);
    if (ec) co_return;
    sockets_.push_back(socket);
    tasks_.spawn(serve(socket));
  }
}

Task<void> TestHttpServer::serve(std::shared_ptr<TestSocket> socket) {
  std::string buffer;
  for (;;) {
    const auto [ec, n] =
        co_await asio::async_read_until(*socket, asio::dynamic_buffer(buffer), "\r\n\r\n", use_task_ec);
    if (ec) co_return;
    Seen request{buffer.substr(0, n), {}};
    std::ranges::transform(request.head, request.head.begin(), [](unsigned char c) { return std::tolower(c); });
    buffer.erase(0, n);
    std::size_t length = 0;
    if (const auto at = request.head.find("content-length: "); at != std::string::npos)
      length = std::stoul(request.head.substr(at + 16));
    if (buffer.size() < length) {
      const auto [failed, more] = co_await asio::async_read(
          *socket, asio::dynamic_buffer(buffer), asio::transfer_exactly(length - buffer.size()), use_task_ec);
      if (failed) co_return;
    }
    request.body = buffer.substr(0, length);
    buffer.erase(0, length);
    seen.push_back(request);
    Exchange exchange(*socket, request);
    co_await handler_(exchange);
    if (!socket->is_open()) co_return;
  }
}

}  // namespace sallyport::upstream::testing
