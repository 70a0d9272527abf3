// The TLS half of Stream: OpenSSL over the same socket. What OpenSSL wants next is awaited with the reactor.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/stream.h"

namespace sallyport::net {
namespace {

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a peer that is gone would end the process.
int bio_write(BIO* bio, const char* data, int size) {
  const auto n = ::send(static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))), data,
                        static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
  BIO_clear_retry_flags(bio);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int bio_read(BIO* bio, char* data, int size) {
  const auto n = ::recv(static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))), data,
                        static_cast<std::size_t>(size), MSG_DONTWAIT);
  BIO_clear_retry_flags(bio);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(n);
}

long bio_ctrl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO* make_bio(int fd) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sallyport socket");
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_ctrl(m, bio_ctrl);
    return m;
  }();
  BIO* bio = BIO_new(method);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  return bio;
}

boost::system::error_code tls_error(int ssl_error) {
  if (ssl_error == SSL_ERROR_ZERO_RETURN) return asio::error::eof;
  return boost::system::errc::make_error_code(boost::system::errc::protocol_error);
}

bool wants_more(int ssl_error) { return ssl_error == SSL_ERROR_WANT_READ || ssl_error == SSL_ERROR_WANT_WRITE; }

}  // namespace

Task<boost::system::error_code> Stream::tls_wait(int ssl_error) {
  const auto want = ssl_error == SSL_ERROR_WANT_READ ? Socket::wait_read : Socket::wait_write;
  const auto [error] = co_await socket_.async_wait(want, use_task_ec);
  co_return error;
}

Task<boost::system::error_code> Stream::handshake(SslPtr ssl) {
  ssl_ = std::move(ssl);
  BIO* bio = make_bio(socket_.native_handle());
  if (bio == nullptr) co_return boost::system::errc::make_error_code(boost::system::errc::not_enough_memory);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  for (;;) {
    ERR_clear_error();
    const int ok = SSL_connect(ssl_.get());
    if (ok == 1) co_return boost::system::error_code();
    const int error = SSL_get_error(ssl_.get(), ok);
    if (!wants_more(error)) co_return tls_error(error);
    if (const auto failed = co_await tls_wait(error)) co_return failed;
  }
}

std::string Stream::tls_failure() const {
  const long verdict = ssl_ ? SSL_get_verify_result(ssl_.get()) : X509_V_OK;
  return verdict == X509_V_OK ? "handshake failed" : X509_verify_cert_error_string(verdict);
}

Task<IoResult> Stream::tls_read(std::span<char> into) {
  for (;;) {
    std::size_t got = 0;
    ERR_clear_error();
    const int ok = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
    if (ok == 1) co_return IoResult{{}, got};
    const int error = SSL_get_error(ssl_.get(), ok);
    if (!wants_more(error)) co_return IoResult{tls_error(error), 0};
    if (const auto failed = co_await tls_wait(error)) co_return IoResult{failed, 0};
  }
}

IoResult Stream::tls_write(std::string_view bytes) noexcept {
  std::size_t taken = 0;
  ERR_clear_error();
  const int ok = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &taken);
  if (ok == 1) return {{}, taken};
  tls_want_ = SSL_get_error(ssl_.get(), ok);
  if (wants_more(tls_want_)) return {asio::error::would_block, 0};
  return {tls_error(tls_want_), 0};
}

}  // namespace sallyport::net
