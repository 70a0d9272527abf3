// For tests of the way to the first request: a loopback listener with what stands before HTTP, and TLS clients of it.
#pragma once

#include <openssl/ssl.h>
#include <unistd.h>

#include <cstdio>

#include "net/arrival.h"
#include "net/loopback_fixture.h"
#include "net/tls_client.h"
#include "net/tls_test_support.h"

namespace sallyport::net {

using std::string_literals::operator""s;

class ArrivalTest : public Loopback {
 protected:
  SystemRandom random_;
  TestCertificate ca_{authority()};
  TestCertificate server_{CertificateWish{}, &ca_};
  std::string ca_file_ = testing::TempDir() + "sp_arrival_" + std::to_string(::getpid()) + ".pem";
  std::string from_ = "127.0.0.1";  // whom the next connections come from, by TCP's word
  ArrivalSettings arrival_{.timeout = std::chrono::milliseconds{5000}};
  std::unique_ptr<Arrivals> arrivals_;
  std::vector<std::pair<std::string, std::string>> refused_;
  std::vector<Peer> served_;

  ArrivalTest() {
    std::FILE* const file = std::fopen(ca_file_.c_str(), "w");
    std::fputs(ca_.pem().c_str(), file);
    std::fclose(file);
  }
  ~ArrivalTest() override { ::unlink(ca_file_.c_str()); }

  [[nodiscard]] std::shared_ptr<const TlsServer> tls(TlsMaterial material = {}) {
    material.chain = server_.pem();
    material.key = Secret(server_.key_pem());
    return TlsServer::make(material, TicketKeys::fresh(random_), clock_).value_or(nullptr);
  }

  // As the listener does it.
  void arrive(std::shared_ptr<const TlsServer> with, Handler handler) {
    context_ = std::make_unique<ServerContext>(settings_, std::move(handler), sweep_);
    arrivals_ = std::make_unique<Arrivals>(arrival_, sweep_);
    arrivals_->use(std::move(with));
    group_.spawn(accept_all());
  }
  Task<void> accept_all() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(use_task_ec);
      if (error) co_return;
      Peer peer{.address = *IpAddress::parse(from_), .ip = from_};
      group_.spawn(one(Stream(Socket(std::move(socket))), std::move(peer)));
    }
  }
  Task<void> one(Stream stream, Peer peer) {
    if (const auto failed = co_await arrivals_->admit(stream, peer)) {
      refused_.emplace_back(arrival_fault_name(failed->fault), failed->detail);
      co_return stream.close();
    }
    served_.push_back(peer);
    co_await serve_connection(std::move(stream), std::move(peer), *context_);
  }
  static Handler hello() {
    return [](ServerExchange& exchange) -> Task<void> {
      co_await exchange.respond({.body = exchange.peer().ip + (exchange.peer().secure ? " tls" : " plain")});
    };
  }

  // A client that has sent `before`, then done its handshake; its error otherwise.
  Task<std::pair<std::unique_ptr<Stream>, bool>> tls_client(std::string before = {}) {
    auto stream = std::make_unique<Stream>(Socket(co_await connect()));
    if (!before.empty()) (void)stream->try_write(before);
    const auto client = TlsClient::make(nullptr, ca_file_);
    auto session = (*client)->session(*parse_url("https://127.0.0.1/"));
    const bool failed = static_cast<bool>(co_await stream->handshake(std::move(*session)));
    co_return std::pair(std::move(stream), !failed);
  }
  static Task<std::string> rest_of(Stream& stream) {
    std::string all;
    std::array<char, 4096> part{};
    for (;;) {
      const auto got = co_await stream.read_some(part);
      if (got.error) co_return all;
      all.append(part.data(), got.bytes);
    }
  }
  Task<std::string> ask(std::string before, std::string request) {
    auto [stream, done] = co_await tls_client(std::move(before));
    if (!done) co_return "no handshake";
    (void)stream->try_write(request);
    co_return co_await rest_of(*stream);
  }
};

inline constexpr const char* kLast = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

// The first bytes of a client that asks for an OCSP response.
inline std::string client_hello() {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
  SSL_set_tlsext_status_type(ssl.get(), TLSEXT_STATUSTYPE_ocsp);
  (void)SSL_connect(ssl.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace sallyport::net
