// The TLS half of Stream: OpenSSL over the same socket. What OpenSSL wants next is awaited with the reactor.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/stream.h"

namespace sallyport::net {
namespace {

constexpr std::size_t kRecordMax = 16U << 10;  // RFC 8446 5.1
constexpr std::size_t kCallBytesMax = 2 * kRecordMax;  // a whole record is within it, however it arrives
// A chain of certificates in the smallest fragments that clients ask for (RFC 6066 4), and a hundred more.
constexpr unsigned kHandshakeRecordsMax = 512;
constexpr unsigned kRecordsMax = 64;  // a few session tickets, a KeyUpdate now and then

TlsWire& wire_of(BIO* bio) { return *static_cast<TlsWire*>(BIO_get_data(bio)); }

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a peer that is gone would end the process.
int bio_write(BIO* bio, const char* data, int size) {
  const auto n = ::send(wire_of(bio).fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
  BIO_clear_retry_flags(bio);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

// OpenSSL asks once it holds no whole record any more: what is left after the limit is in the socket, and a wait for that ends.
int bio_read(BIO* bio, char* data, int size) {
  TlsWire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  if (wire.call_bytes >= kCallBytesMax) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const auto n = ::recv(wire.fd, data, static_cast<std::size_t>(size), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (n > 0) wire.call_bytes += static_cast<std::size_t>(n);
  return static_cast<int>(n);
}

// For each record's head. As if the peer had closed: OpenSSL then takes this record for nothing, and no further one.
void on_record(int written, int, int kind, const void*, std::size_t, SSL* ssl, void* of) {
  if (written != 0 || kind != SSL3_RT_HEADER) return;
  TlsWire& wire = *static_cast<TlsWire*>(of);
  if (++wire.records <= wire.records_max) return;
  wire.flooded = true;
  SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
}

long bio_ctrl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO* make_bio(TlsWire& wire) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sallyport socket");
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_ctrl(m, bio_ctrl);
    return m;
  }();
  BIO* bio = BIO_new(method);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, &wire);
  BIO_set_init(bio, 1);
  return bio;
}

bool wants_more(int ssl_error) { return ssl_error == SSL_ERROR_WANT_READ || ssl_error == SSL_ERROR_WANT_WRITE; }

// What people look for first, then OpenSSL's own words.
std::string why_refused(long verdict) {
  const std::string said = X509_verify_cert_error_string(verdict);
  switch (verdict) {
    case X509_V_ERR_APPLICATION_VERIFICATION: return "pin mismatch: no key of the server's chain is among the pins";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return "name mismatch: " + said;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return "expired or not yet valid: " + said;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return "unknown CA: " + said;
    default: return "certificate refused: " + said;
  }
}

// RFC 8446 6.2: what a server sends that wants a certificate, or another one.
bool about_our_certificate(int alert) {
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED: return true;
    default: return false;
  }
}

}  // namespace

boost::system::error_code Stream::tls_error(int ssl_error) noexcept {
  if (ssl_error == SSL_ERROR_ZERO_RETURN && !flooded()) return asio::error::eof;
  const unsigned long top = ERR_peek_last_error();
  const int alert = ERR_GET_REASON(top) - SSL_AD_REASON_OFFSET;
  if (ssl_error == SSL_ERROR_SSL && ERR_GET_LIB(top) == ERR_LIB_SSL && alert > 0 && alert < 256) tls_alert_ = alert;
  return boost::system::errc::make_error_code(boost::system::errc::protocol_error);
}

std::string Stream::tls_alert() const {
  if (tls_alert_ == 0) return {};
  const std::string said = SSL_alert_desc_string_long(tls_alert_);
  return (about_our_certificate(tls_alert_) ? "client certificate refused: alert " : "alert ") + said;
}

Task<boost::system::error_code> Stream::tls_wait(int ssl_error) {
  const auto want = ssl_error == SSL_ERROR_WANT_READ ? Socket::wait_read : Socket::wait_write;
  const auto [error] = co_await socket_.async_wait(want, use_task_ec);
  co_return error;
}

Task<boost::system::error_code> Stream::handshake(SslPtr ssl) { return shake(std::move(ssl), SSL_connect); }

Task<boost::system::error_code> Stream::accept_tls(SslPtr ssl) { return shake(std::move(ssl), SSL_accept); }

Task<boost::system::error_code> Stream::shake(SslPtr ssl, int (*step)(ssl_st*)) {
  wire_ = std::make_unique<TlsWire>(TlsWire{.fd = socket_.native_handle(), .records_max = kHandshakeRecordsMax});
  ssl_ = std::move(ssl);
  BIO* bio = make_bio(*wire_);
  if (bio == nullptr) co_return boost::system::errc::make_error_code(boost::system::errc::not_enough_memory);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_msg_callback(ssl_.get(), on_record);
  SSL_set_msg_callback_arg(ssl_.get(), wire_.get());
  SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  for (;;) {
    const int ok = step(begin_call());
    if (ok == 1) {
      wire_->records = 0;
      wire_->records_max = kRecordsMax;
      co_return boost::system::error_code();
    }
    const int error = SSL_get_error(ssl_.get(), ok);
    if (!wants_more(error) || flooded()) {
      handshake_error_ = ERR_peek_error();
      const auto failed = tls_error(error);
      ERR_clear_error();
      co_return failed;
    }
    if (const auto failed = co_await tls_wait(error)) co_return failed;
  }
}

std::string Stream::tls_failure() const {
  if (flooded()) return std::string(kTlsFlood);
  const long verdict = ssl_ ? SSL_get_verify_result(ssl_.get()) : X509_V_OK;
  if (verdict != X509_V_OK) return why_refused(verdict);
  return tls_alert_ == 0 ? "handshake failed" : tls_alert();
}

std::string Stream::accept_failure() const {
  if (flooded()) return std::string(kTlsFlood);
  const long verdict = ssl_ ? SSL_get_verify_result(ssl_.get()) : X509_V_OK;
  if (verdict != X509_V_OK) return X509_verify_cert_error_string(verdict);
  const char* const reason = ERR_reason_error_string(handshake_error_);
  return reason == nullptr ? "handshake failed" : std::string("handshake failed: ") + reason;
}

bool Stream::certificate_refused() const noexcept {
  if (ssl_ && SSL_get_verify_result(ssl_.get()) != X509_V_OK) return true;
  return ERR_GET_LIB(handshake_error_) == ERR_LIB_SSL &&
         ERR_GET_REASON(handshake_error_) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
}

ssl_st* Stream::begin_call() noexcept {
  ERR_clear_error();
  wire_->call_bytes = 0;
  return ssl_.get();
}

// Application data makes up for its own record and one more: who mixes data with floods is found out too.
IoResult Stream::tls_take(std::span<char> into, int& want) noexcept {
  std::size_t got = 0;
  const int ok = SSL_read_ex(begin_call(), into.data(), into.size(), &got);
  if (ok == 1) {
    wire_->records -= std::min(wire_->records, 2U);
    return {{}, got};
  }
  want = SSL_get_error(ssl_.get(), ok);
  if (wants_more(want) && !flooded()) return {asio::error::would_block, 0};
  return {tls_error(want), 0};
}

Task<IoResult> Stream::tls_read(std::span<char> into) {
  for (;;) {
    int want = 0;
    const IoResult read = tls_take(into, want);
    if (read.error != asio::error::would_block) co_return read;
    if (const auto failed = co_await tls_wait(want)) co_return IoResult{failed, 0};
  }
}

// Head and body of an answer go into one record: a record each would cost the peer a wake-up more. Records are cut at the
// same places when one is tried again, as SSL_write demands.
IoResult Stream::tls_write(std::string_view first, std::string_view second) noexcept {
  char joined[kRecordMax];
  std::size_t done = 0;
  while (!first.empty() || !second.empty()) {
    std::string_view record = first.empty() ? second.substr(0, kRecordMax) : first.substr(0, kRecordMax);
    if (!first.empty() && !second.empty() && first.size() < kRecordMax) {
      const std::size_t more = std::min(second.size(), kRecordMax - first.size());
      std::memcpy(joined, first.data(), first.size());
      std::memcpy(joined + first.size(), second.data(), more);
      record = {joined, first.size() + more};
    }
    const IoResult put = tls_write_record(record);
    done += put.bytes;
    if (put.error)
      return {done > 0 && put.error == asio::error::would_block ? boost::system::error_code() : put.error, done};
    const std::size_t of_first = std::min(put.bytes, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(put.bytes - of_first);
  }
  return {{}, done};
}

IoResult Stream::tls_write_record(std::string_view bytes) noexcept {
  std::size_t taken = 0;
  const int ok = SSL_write_ex(begin_call(), bytes.data(), bytes.size(), &taken);
  if (ok == 1) return {{}, taken};
  tls_want_ = SSL_get_error(ssl_.get(), ok);
  if (wants_more(tls_want_)) return {asio::error::would_block, 0};
  return {tls_error(tls_want_), 0};
}

}  // namespace sallyport::net
