// A connected byte stream, TCP or Unix, in the clear or TLS: the one seam between sockets and HTTP. Non-blocking; what
// can be done at once is done without a wait. One owner, one worker's thread. Asio's socket appears here because the
// listener hands one over; nobody else needs this header.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/task.h"

struct ssl_st;

namespace sallyport::net {

using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;

struct IoResult {
  boost::system::error_code error;
  std::size_t bytes = 0;
};

struct SslDeleter {
  void operator()(ssl_st* ssl) const noexcept;
};
using SslPtr = std::unique_ptr<ssl_st, SslDeleter>;

// What the peer's TLS costs us. SSL_read returns at application data or an empty socket, not before: a peer that sends records of
// anything else (KeyUpdate, tickets, warnings) as fast as they are read would keep one call, and the worker, for ever.
struct TlsWire {
  int fd = -1;
  std::size_t call_bytes =
      0;  // read since the call into OpenSSL began: at its limit the call ends, and the event loop goes on
  unsigned records = 0;  // without application data, as far as records with it have not made up for them
  unsigned records_max = 0;
  bool flooded = false;  // more than that: the connection is of no more use
};
inline constexpr std::string_view kTlsFlood = "too many TLS records without data";

class Stream {
 public:
  explicit Stream(Socket socket);
  Stream(Stream&&) = default;
  Stream& operator=(Stream&&) = default;

  // Reads at least one byte, or ends with an error (asio::error::eof at the end).
  // Plain sockets: waits first, then reads once. For the moment after a message was sent, when a read at once would only
  // cost a system call that says "not yet".
  Task<IoResult> read_when_ready(std::span<char> into);
  Task<IoResult> read_some(std::span<char> into);
  // What is there already; would_block: nothing.
  IoResult read_now(std::span<char> into) noexcept;
  // Writes without waiting: how many bytes were taken (0 with would_block: none now).
  IoResult try_write(std::string_view bytes) noexcept;
  IoResult try_write(std::string_view first, std::string_view second) noexcept;
  // Waits until some can be written again.
  Task<boost::system::error_code> writable();
  // The peer has closed, or sent bytes nobody asked for: an idle connection of no more use. No wait.
  [[nodiscard]] bool stale() noexcept;

  // TLS as the client: the handshake with what `ssl` is configured to demand; accept_tls: as the server.
  Task<boost::system::error_code> handshake(SslPtr ssl);
  Task<boost::system::error_code> accept_tls(SslPtr ssl);
  // Why the handshake failed: "pin mismatch", "unknown CA: ...", "client certificate refused: ...", "handshake failed".
  [[nodiscard]] std::string tls_failure() const;
  // The fatal alert by which the peer ended the connection, in words; empty: none was seen. In TLS 1.3 a client certificate is
  // refused after the client's handshake is over (RFC 8446 4.4.2.4).
  [[nodiscard]] std::string tls_alert() const;
  // Of accept_tls: why it failed, and whether for the client's certificate, or that there was none.
  [[nodiscard]] std::string accept_failure() const;
  [[nodiscard]] bool certificate_refused() const noexcept;
  // The peer sent more records without application data than anybody needs; reads end with an error since.
  [[nodiscard]] bool flooded() const noexcept { return wire_ && wire_->flooded; }
  [[nodiscard]] const ssl_st* ssl() const noexcept { return ssl_.get(); }

  // Ends whatever waits on it; the owner's coroutine goes on with an error. Safe to call at any time.
  void shutdown() noexcept;
  // No more is written; the peer sees an orderly end (RFC 8446 6.1: close_notify first).
  void finish_writing() noexcept;
  void close() noexcept;
  [[nodiscard]] Socket& socket() noexcept { return socket_; }
  [[nodiscard]] bool tls() const noexcept { return ssl_ != nullptr; }

 private:
  Task<boost::system::error_code> shake(SslPtr ssl, int (*step)(ssl_st*));
  Task<IoResult> tls_read(std::span<char> into);
  ssl_st* begin_call() noexcept;
  IoResult tls_take(std::span<char> into, int& want) noexcept;
  Task<boost::system::error_code> tls_wait(int ssl_error);
  boost::system::error_code tls_error(int ssl_error) noexcept;
  IoResult tls_write(std::string_view first, std::string_view second) noexcept;
  IoResult tls_write_record(std::string_view bytes) noexcept;

  Socket socket_;
  std::unique_ptr<TlsWire> wire_;  // its address is OpenSSL's
  SslPtr ssl_;
  int tls_want_ = 0;
  int tls_alert_ = 0;  // RFC 8446 6.2; 0: none
  unsigned long handshake_error_ = 0;  // OpenSSL's
};

}  // namespace sallyport::net
