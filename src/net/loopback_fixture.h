// For tests of net: a server and a client over loopback in one io_context, with time-outs of milliseconds.
#pragma once

#include <gtest/gtest.h>

#include "core/task.h"
#include "net/egress_client.h"
#include "net/server_connection.h"

namespace sallyport::net {

class Loopback : public testing::Test {
 protected:
  using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
  using TcpAcceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

  asio::io_context io_;
  SystemClock clock_;
  DeadlineSweep sweep_{io_.get_executor(), clock_, std::chrono::milliseconds{2}};
  ServerSettings settings_;
  TaskGroup group_{io_.get_executor(), [](const char*) {}};
  std::unique_ptr<ServerContext> context_;
  TcpAcceptor acceptor_{io_.get_executor(), {asio::ip::address_v4::loopback(), 0}};
  std::uint16_t port_ = acceptor_.local_endpoint().port();
  std::uint64_t accepted_ = 0;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] SteadyTime soon() const { return clock_.steady() + std::chrono::seconds{5}; }

  void serve(Handler handler) {
    context_ = std::make_unique<ServerContext>(settings_, std::move(handler), sweep_);
    group_.spawn(accept());
  }

  Task<void> accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(use_task_ec);
      if (error) co_return;
      ++accepted_;
      group_.spawn(serve_connection(Stream(Socket(std::move(socket))), Peer{.ip = "127.0.0.1"}, *context_));
    }
  }

  // Runs `test` to its end, then ends everything else.
  void run(Task<void> test) {
    sweep_.start();
    std::exception_ptr failure;
    asio::co_spawn(io_, finish(std::move(test)), [&](const std::exception_ptr& error) { failure = error; });
    io_.run_for(std::chrono::seconds{20});
    if (failure) std::rethrow_exception(failure);
    EXPECT_EQ(group_.size(), 0U) << "something still hangs";
  }

  Task<void> finish(Task<void> test) {
    co_await std::move(test);
    acceptor_.close();
    group_.cancel();
    co_await group_.join();
    sweep_.stop();
  }

  Task<TcpSocket> connect() {
    TcpSocket socket(io_.get_executor());
    co_await socket.async_connect({asio::ip::address_v4::loopback(), port()}, use_task);
    co_return socket;
  }

  // Sends `bytes`, then reads to the end of the connection.
  Task<std::string> talk(std::string bytes) {
    auto socket = co_await connect();
    co_await asio::async_write(socket, asio::buffer(bytes), use_task_ec);
    co_return co_await read_all(socket);
  }

  static Task<std::string> read_all(TcpSocket& socket) {
    std::string all;
    co_await asio::async_read(socket, asio::dynamic_buffer(all), use_task_ec);
    co_return all;
  }

  static Task<std::string> read_until(TcpSocket& socket, std::string_view end) {
    std::string all;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(all), end, use_task_ec);
    co_return all;
  }

  // Lets everything else run for a while; no wall-clock wait.
  Task<void> yield(int times = 20) {
    for (int i = 0; i < times; ++i) co_await asio::post(io_.get_executor(), use_task);
  }

  // Waits until `condition` holds, polling the event loop; false after two seconds.
  template <class F>
  Task<bool> eventually(F condition) {
    const auto end = clock_.steady() + std::chrono::seconds{2};
    while (!condition() && clock_.steady() < end) co_await asio::post(io_.get_executor(), use_task);
    co_return condition();
  }
};

inline std::size_t occurrences(std::string_view text, std::string_view what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

}  // namespace sallyport::net
