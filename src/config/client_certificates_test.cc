// Settings of mutual TLS, both ways (S2-26): `servers[].tls`, and what certificates of clients count for.
#include <gtest/gtest.h>

#include "config/config.h"

namespace sallyport::config {
namespace {

constexpr std::string_view kPin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

Result<Settings> with(const std::string& yaml) { return load_text(yaml, "sallyport.yaml", "/tmp/sallyport-home", {}); }

std::string server(const std::string& tls, const std::string& url = "https://tools.example/mcp") {
  return "servers:\n  - name: web\n    transport: http\n    url: " + url + "\n    tls:\n" + tls;
}

TEST(ServerTls, IsReadAsASectionOfItsServer) {
  const auto loaded = with(server("      ca: /etc/web/ca.pem\n      pins: [\"" + std::string(kPin) +
                                  "\"]\n      client_certificate: /etc/web/me.pem\n"
                                  "      client_key: ${file:/etc/web/me.key}\n"));
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const UpstreamTlsSetting& tls = loaded->servers.at(0).tls;
  EXPECT_EQ(tls.ca, "/etc/web/ca.pem");
  EXPECT_EQ(tls.pins, std::vector<std::string>{std::string(kPin)});
  EXPECT_EQ(tls.client_certificate, "/etc/web/me.pem");
  EXPECT_EQ(tls.client_key, "${file:/etc/web/me.key}");
}

TEST(ServerTls, WhatCannotBeIsRefusedByItsPath) {
  const std::string pair = "      client_certificate: /c.pem\n";
  for (const auto& [yaml, part] :
       {std::pair{server("      ca: ca.pem\n"), "servers.tls.ca"},
        {server("      pins: [sha256/short]\n"), "servers.tls.pins"},
        {server("      pin: x\n"), "servers.tls.pin"},
        {server(pair + "      client_key: /etc/web/me.key\n"), "servers.tls.client_key"},
        {server(pair + "      client_key: ${env:KEY}\n"), "servers.tls.client_key"},
        {server(pair), "servers.web.tls.client_key"},
        {server("      ca: /ca.pem\n", "http://tools.example/mcp"), "servers.web.url"},
        {std::string("servers:\n  - name: web\n    command: [/c]\n    tls:\n      ca: /ca.pem\n"),
         "servers.web.tls.ca"},
        {std::string("servers:\n  - name: web\n    transport: http\n    url: https://h/mcp\n    tls: yes\n"),
         "servers.tls"},
        {std::string("servers:\n  - name: web\n    transport: http\n    url: https://h/mcp\n    tls.ca: /x\n"),
         "servers.tls.ca"}}) {
    const auto loaded = with(yaml);
    ASSERT_FALSE(loaded) << yaml;
    EXPECT_NE(loaded.error().detail.find(part), std::string::npos) << yaml << loaded.error().detail;
  }
}

// A proxy in front may say what it likes: without a handshake of our own there is no certificate.
TEST(ClientCertificates, CountOnlyWhereTheListenerAsksForThem) {
  for (const std::string use : {"beside", "required", "only"}) {
    const std::string auth = "auth: {client_certificates: " + use + "}\n";
    for (const std::string& without :
         {std::string(), std::string("tls: {enabled: true}\n"), std::string("listen: {behind_tls_proxy: true}\n")}) {
      const auto loaded = with(auth + without);
      ASSERT_FALSE(loaded) << auth << without;
      EXPECT_NE(loaded.error().detail.find("auth.client_certificates"), std::string::npos) << loaded.error().detail;
    }
    for (const std::string asked : {"optional", "required"}) {
      const auto loaded = with(auth + "tls: {enabled: true, client_certificates: " + asked + "}\n");
      ASSERT_TRUE(loaded) << loaded.error().detail;
      EXPECT_EQ(loaded->auth.client_certificates, use);
    }
  }
  EXPECT_TRUE(with("tls: {enabled: true, client_certificates: required}\n"));
  EXPECT_FALSE(with("auth: {client_certificates: maybe}\n"));
}

}  // namespace
}  // namespace sallyport::config
