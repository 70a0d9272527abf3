// For tests of the listener's TLS: contexts with certificates of the test's own authority.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/random.h"
#include "net/tls_server.h"
#include "net/tls_test_client.h"
#include "net/tls_test_support.h"

namespace sallyport::net {

class TlsServerTest : public testing::Test, protected TlsTestClient {
 protected:
  SystemClock clock_;
  SystemRandom random_;
  TestCertificate ca_{authority()};
  TestCertificate server_{CertificateWish{}, &ca_};
  std::shared_ptr<const TicketKeys> tickets_ = TicketKeys::fresh(random_);

  [[nodiscard]] TlsMaterial material() const {
    TlsMaterial out;
    out.chain = server_.pem();
    out.key = Secret(server_.key_pem());
    return out;
  }
  [[nodiscard]] TlsMaterial mutual(ClientCertificates mode = ClientCertificates::required) const {
    TlsMaterial out = material();
    out.client_ca = ca_.pem();
    out.client_certificates = mode;
    return out;
  }
  ServerPtr made(const TlsMaterial& material) {
    auto server = TlsServer::make(material, tickets_, clock_);
    EXPECT_TRUE(server) << server.error().detail;
    return server ? *server : nullptr;
  }
  [[nodiscard]] std::string why_not(const TlsMaterial& material) const {
    const auto server = TlsServer::make(material, tickets_, clock_);
    return server ? "it was made" : server.error().detail;
  }
};

}  // namespace sallyport::net
