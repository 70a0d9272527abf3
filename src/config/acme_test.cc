// What ACME needs is asked for at the start (S2-27): a name, somebody to write to, and a challenge that can be answered.
#include <gtest/gtest.h>

#include <algorithm>

#include "config/config.h"

namespace sallyport::config {
namespace {

constexpr const char* kGood =
    "enabled: true, directory: 'https://acme.example/dir', email: ops@gw.example, hosts: [gw.example]";

Result<Settings> with(const std::string& acme, const std::string& more = {}) {
  return load_text("acme: {" + std::string(kGood) + acme + "}\n" + more, "sallyport.yaml", "/tmp/sallyport-home", {});
}

std::string why_not(const std::string& acme, const std::string& more = {}) {
  const auto loaded = with(acme, more);
  return loaded ? "it was taken" : loaded.error().detail;
}

bool warned(const Settings& settings, std::string_view of) {
  return std::ranges::any_of(settings.warnings, [&](const std::string& one) { return one.find(of) != one.npos; });
}

const std::string kPlainPort = "tls: {enabled: true}\nlisten: {redirect_port: 80, hosts: [";

TEST(AcmeRules, NamesThatThePlainPortKnows) {
  for (const char* hosts : {"gw.example", "'*.example'", "localhost, gw.example"}) {
    EXPECT_TRUE(with("", kPlainPort + hosts + "]}\n")) << hosts;
  }
  for (const char* hosts : {"localhost", "other.example", "'*.gw.example'", "w.example"}) {
    const std::string why = why_not("", kPlainPort + hosts + "]}\n");
    EXPECT_NE(why.find("gw.example is not in listen.hosts"), std::string::npos) << why;
    EXPECT_NE(why.find("fix: add it to listen.hosts"), std::string::npos) << why;
  }
}

TEST(AcmeRules, WhatSomethingElseHasToDoIsSaid) {
  const auto alone = with("");
  ASSERT_TRUE(alone) << alone.error().detail;
  EXPECT_TRUE(warned(*alone, "acme.enabled without tls.enabled"));
  EXPECT_TRUE(warned(*alone, "something else has to serve <home>/certs/acme"));
  const auto whole = with("", kPlainPort + "gw.example]}\n");
  ASSERT_TRUE(whole) << whole.error().detail;
  EXPECT_FALSE(warned(*whole, "acme."));
  EXPECT_TRUE(warned(*with(", port: 5001"), "acme.port is set, but acme.challenge is http-01"));
}

TEST(AcmeRules, APortThatIsTakenAlready) {
  const std::string alpn = ", challenge: tls-alpn-01, port: ";
  EXPECT_NE(why_not(alpn + "8000").find("acme.port: is listen.port itself"), std::string::npos);
  EXPECT_NE(why_not(alpn + "80", kPlainPort + "gw.example]}\n").find("acme.port: is listen.redirect_port itself"),
            std::string::npos);
  EXPECT_TRUE(with(alpn + "5001"));
  EXPECT_NE(why_not(alpn + "0").find("the gateway has no TLS port of its own"), std::string::npos);
  EXPECT_TRUE(with(alpn + "0", "tls: {enabled: true}\n"));
}

TEST(AcmeRules, NamesOfEveryMachine) {
  for (const char* host : {"localhost", "gw.localhost"}) {
    const auto loaded =
        load_text("acme: {enabled: true, directory: 'https://acme.example/dir', email: a@b.example, hosts: [" +
                      std::string(host) + "]}\n",
                  "sallyport.yaml", "/tmp/sallyport-home", {});
    ASSERT_FALSE(loaded) << host;
    EXPECT_NE(loaded.error().detail.find("is every machine's own name"), std::string::npos) << loaded.error().detail;
  }
}

}  // namespace
}  // namespace sallyport::config
