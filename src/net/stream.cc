#include "net/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

namespace sallyport::net {
namespace {

IoResult from_system(ssize_t n) {
  if (n >= 0) return {{}, static_cast<std::size_t>(n)};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {asio::error::would_block, 0};
  return {boost::system::error_code(errno, boost::system::system_category()), 0};
}

}  // namespace

void SslDeleter::operator()(ssl_st* ssl) const noexcept { SSL_free(ssl); }

Stream::Stream(Socket socket) : socket_(std::move(socket)) {}

Task<IoResult> Stream::read_some(std::span<char> into) {
  if (ssl_) co_return co_await tls_read(into);
  const auto [error, n] = co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), use_task_ec);
  co_return IoResult{error, n};
}

IoResult Stream::read_now(std::span<char> into) noexcept {
  if (!ssl_) {
    const IoResult got = from_system(::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT));
    if (got.error || got.bytes > 0) return got;
    return {asio::error::eof, 0};
  }
  int want = 0;
  return tls_take(into, want);
}

Task<IoResult> Stream::read_when_ready(std::span<char> into) {
  for (;;) {
    const auto [error] = co_await socket_.async_wait(Socket::wait_read, use_task_ec);
    if (error) co_return IoResult{error, 0};
    const IoResult got = from_system(::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT));
    if (got.error == asio::error::would_block) continue;  // another reader's wake-up: none is left behind
    if (!got.error && got.bytes == 0) co_return IoResult{asio::error::eof, 0};
    co_return got;
  }
}

IoResult Stream::try_write(std::string_view bytes) noexcept {
  if (ssl_) return tls_write(bytes, {});
  return from_system(::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

IoResult Stream::try_write(std::string_view first, std::string_view second) noexcept {
  if (second.empty()) return try_write(first);
  if (ssl_) return tls_write(first, second);
  iovec parts[2] = {{const_cast<char*>(first.data()), first.size()}, {const_cast<char*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  return from_system(::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

Task<boost::system::error_code> Stream::writable() {
  const auto want = ssl_ && tls_want_ == SSL_ERROR_WANT_READ ? Socket::wait_read : Socket::wait_write;
  const auto [error] = co_await socket_.async_wait(want, use_task_ec);
  co_return error;
}

bool Stream::stale() noexcept {
  char byte = 0;
  const auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
  if (n == 0 || !ssl_) return true;
  // TLS records without application data (session tickets) are in order.
  std::size_t got = 0;
  const int ok = SSL_peek_ex(begin_call(), &byte, 1, &got);
  return ok == 1 || SSL_get_error(ssl_.get(), ok) != SSL_ERROR_WANT_READ;
}

void Stream::shutdown() noexcept {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
  socket_.shutdown(Socket::shutdown_both, ignored);
}

void Stream::finish_writing() noexcept {
  boost::system::error_code ignored;
  if (ssl_ && SSL_is_init_finished(ssl_.get()) == 1) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Stream::close() noexcept {
  boost::system::error_code ignored;
  if (ssl_ && SSL_is_init_finished(ssl_.get()) == 1) SSL_shutdown(ssl_.get());  // close_notify, not waited for
  ssl_.reset();
  socket_.close(ignored);
}

}  // namespace sallyport::net
