#include <gtest/gtest.h>

#include "config/config.h"

namespace sallyport::config {
namespace {

using namespace std::chrono_literals;

const std::string kKey = "u8Vq3bYx0Tn5Zr1Lk7Jd2Wm9Hc4Gs6PaEfQiRoUy";
const std::string kOtherKey = "Zu8Vq3bYx0Tn5Zr1Lk7Jd2Wm9Hc4Gs6PaEfQiRoU";

Result<Settings> with(const Environment& environment, std::string_view yaml = "") {
  return load_text(yaml, "sallyport.yaml", "/h", environment);
}

// What a guide's environment gives, or the reason it is refused for.
struct Alias {
  const char* promise;
  Environment environment;
  const char* path;   // of explain
  const char* value;  // expected there; empty: refused
  const char* says;   // part of the refusal, or of a warning
};

class EnvironmentAlias : public testing::TestWithParam<Alias> {};

TEST_P(EnvironmentAlias, MeansWhatItsRulingSays) {
  const Alias& a = GetParam();
  const auto settings = with(a.environment);
  if (std::string_view(a.value).empty()) {
    ASSERT_FALSE(settings) << a.promise;
    EXPECT_NE(settings.error().detail.find(a.says), std::string::npos) << a.promise << ": " << settings.error().detail;
    return;
  }
  ASSERT_TRUE(settings) << a.promise << ": " << settings.error().detail;
  std::string found;
  for (const Explained& e : settings->explained) {
    if (e.path == a.path) found = e.value + " from " + e.source;
  }
  EXPECT_EQ(found, a.value) << a.promise;
  std::string warnings;
  for (const std::string& w : settings->warnings) warnings += w + "\n";
  EXPECT_NE(warnings.find(a.says), std::string::npos) << a.promise << ": " << warnings;
}

const Alias kAliases[]{
    {"C2 S0-3",
     {{"ACCESS_TOKEN_EXPIRE_MINUTES", "45"}},
     "auth.access_token_minutes",
     "45 from env ACCESS_TOKEN_EXPIRE_MINUTES",
     ""},
    {"C2 S2-29", {{"JWT_EXPIRATION_HOURS", "2"}}, "auth.access_token_minutes", "120 from env JWT_EXPIRATION_HOURS", ""},
    {"C2 both",
     {{"JWT_EXPIRATION_HOURS", "2"}, {"ACCESS_TOKEN_EXPIRE_MINUTES", "45"}},
     "auth.access_token_minutes",
     "45 from env ACCESS_TOKEN_EXPIRE_MINUTES",
     "ACCESS_TOKEN_EXPIRE_MINUTES and JWT_EXPIRATION_HOURS are both set"},
    {"C2 zero", {{"JWT_EXPIRATION_HOURS", "0"}}, "", "", "'unlimited' cannot be configured"},
    {"C2 too long", {{"JWT_EXPIRATION_HOURS", "9223372036854775807"}}, "", "", "out of range"},
    {"C3 S0-3", {{"SECRET_KEY", kKey}}, "auth.secret_key", "${env:SECRET_KEY} from env SECRET_KEY", ""},
    {"C3 S2-29", {{"JWT_SECRET_KEY", kKey}}, "auth.secret_key", "${env:JWT_SECRET_KEY} from env JWT_SECRET_KEY", ""},
    {"C3 same",
     {{"SECRET_KEY", kKey}, {"JWT_SECRET_KEY", kKey}},
     "auth.secret_key",
     "${env:SECRET_KEY} from env SECRET_KEY",
     ""},
    {"C3 differ",
     {{"SECRET_KEY", kKey}, {"JWT_SECRET_KEY", kOtherKey}},
     "",
     "",
     "SECRET_KEY and JWT_SECRET_KEY are both set and differ"},
    {"C3 weak",
     {{"SECRET_KEY", "your-secret-key-here-change-in-production"}},
     "",
     "",
     "placeholder or a published secret"},
    {"C3 short", {{"SECRET_KEY", "k3J9"}}, "", "", "shorter than 32 bytes"},
    {"C8 published", {{"SECRET_KEY", "mcp_-tn1XqqtdGub5NAzzn_qSoLrvJv9gmMwB0y-kfLDsak"}}, "", "", "published secret"},
    {"S0-3", {{"ALGORITHM", "hs256"}}, "auth.algorithm", "HS256 from env ALGORITHM", ""},
    {"S0-3 eddsa", {{"ALGORITHM", "EdDSA"}}, "auth.algorithm", "EdDSA from env ALGORITHM", ""},
    {"S0-3 none", {{"ALGORITHM", "none"}}, "", "", "is not one of HS256"},
    {"C4 S0-25",
     {{"RATE_LIMIT_REQUESTS", "1000"}, {"RATE_LIMIT_WINDOW", "3600"}, {"RATE_LIMIT_BURST", "0"}},
     "rate.default.window_seconds",
     "3600 from env RATE_LIMIT_WINDOW",
     ""},
    {"C4 S0-25", {{"RATE_LIMIT_BURST", "7"}}, "rate.default.burst", "7 from env RATE_LIMIT_BURST", ""},
    {"C4 S1-21", {{"REQUESTS_PER_MINUTE", "60"}}, "rate.default.requests", "60 from env REQUESTS_PER_MINUTE", ""},
    {"C4 window",
     {{"REQUESTS_PER_MINUTE", "60"}, {"RATE_LIMIT_WINDOW", "3600"}},
     "rate.default.window_seconds",
     "60 from env REQUESTS_PER_MINUTE",
     "REQUESTS_PER_MINUTE sets a window of 60 seconds"},
    {"C4 both",
     {{"REQUESTS_PER_MINUTE", "60"}, {"RATE_LIMIT_REQUESTS", "90"}},
     "rate.default.requests",
     "90 from env RATE_LIMIT_REQUESTS",
     "RATE_LIMIT_REQUESTS wins"},
    {"C4 unlimited", {{"RATE_LIMIT_REQUESTS", "0"}}, "", "", "'unlimited' cannot be configured"},
    {"C10 S2-33",
     {{"AUDIT_LOG_PATH", "./logs/audit.log"}},
     "audit.path",
     "./logs/audit.log from env AUDIT_LOG_PATH",
     ""},
    {"C10 S1-21", {{"AUDIT_LOG_FILE", "audit.log"}}, "audit.path", "audit.log from env AUDIT_LOG_FILE", ""},
    {"C10 differ", {{"AUDIT_LOG_FILE", "a"}, {"AUDIT_LOG_PATH", "b"}}, "", "", "are both set and differ"},
    {"S0-18", {{"AUDIT_LOG_LEVEL", "INFO"}}, "audit.log_level", "info from env AUDIT_LOG_LEVEL", ""},
    {"S0-18", {{"AUDIT_LOG_RETENTION_DAYS", "30"}}, "audit.retention_days", "30 from env AUDIT_LOG_RETENTION_DAYS", ""},
    {"S0-18", {{"AUDIT_LOG_ENCRYPTION", "true"}}, "audit.encryption", "true from env AUDIT_LOG_ENCRYPTION", ""},
    {"S0-18", {{"AUDIT_LOG_ENCRYPTION", "false"}}, "audit.encryption", "false from env AUDIT_LOG_ENCRYPTION", ""},
    {"C15 S1-21",
     {{"ALLOWED_ORIGINS", "https://a.example, http://localhost:3000"}},
     "listen.origins",
     "[https://a.example, http://localhost:3000] from env ALLOWED_ORIGINS",
     ""},
    {"C15", {{"CORS_ORIGINS", "https://a.example"}}, "listen.origins", "[https://a.example] from env CORS_ORIGINS", ""},
    {"C15 star", {{"CORS_ORIGINS", "*"}}, "", "", "cannot be combined with credentials"},
    {"C15 differ",
     {{"CORS_ORIGINS", "https://a.example"}, {"ALLOWED_ORIGINS", "https://b.example"}},
     "",
     "",
     "both set and differ"},
    {"C15 empty", {{"CORS_ORIGINS", ""}}, "listen.origins", "[] from default", ""},
    {"C16",
     {{"SALLYPORT_LISTEN_ADDRESS", "0.0.0.0"}},
     "",
     "",
     "env SALLYPORT_LISTEN_ADDRESS: listen.address: 0.0.0.0 is reachable"},
    {"C16 proxy",
     {{"SALLYPORT_LISTEN_ADDRESS", "0.0.0.0"},
      {"SALLYPORT_LISTEN_BEHIND_TLS_PROXY", "true"},
      {"SALLYPORT_LISTEN_TRUSTED_PROXIES", "10.0.0.5/32"}},
     "listen.address",
     "0.0.0.0 from env SALLYPORT_LISTEN_ADDRESS",
     ""},
    {"C16 proxy that nobody named",
     {{"SALLYPORT_LISTEN_ADDRESS", "0.0.0.0"}, {"SALLYPORT_LISTEN_BEHIND_TLS_PROXY", "true"}},
     "",
     "",
     "anybody who reaches 0.0.0.0 could speak to it in the clear"},
    {"C16 proxy on loopback",
     {{"SALLYPORT_LISTEN_BEHIND_TLS_PROXY", "true"}},
     "listen.address",
     "127.0.0.1 from default",
     "every client shares the proxy's address"},
    {"C24", {{"AUDIT_LOG_ENABLED", "false"}}, "", "", "a gateway without an audit does not start"},
    {"C24", {{"AUDIT_LOG_ENABLED", "True"}}, "audit.enabled", "true from env AUDIT_LOG_ENABLED", ""},
    {"C24",
     {{"ENCRYPTION_ENABLED", "false"}},
     "encryption.enabled",
     "false from env ENCRYPTION_ENABLED",
     "keeps no secrets (C24)"},
    {"C24 outside",
     {{"ENCRYPTION_ENABLED", "false"},
      {"SALLYPORT_LISTEN_ADDRESS", "10.0.0.1"},
      {"SALLYPORT_LISTEN_BEHIND_TLS_PROXY", "1"}},
     "",
     "",
     "on a loopback address only"},
    {"S0-28", {{"ENCRYPTION_ENABLED", "true"}}, "encryption.enabled", "true from env ENCRYPTION_ENABLED", ""},
    {"C26",
     {{"ENCRYPTION_KEY", "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}},
     "encryption.key",
     "${env:ENCRYPTION_KEY} from env ENCRYPTION_KEY",
     ""},
    {"C24 and a source",
     {{"ENCRYPTION_ENABLED", "false"}, {"SECURITY_VAULT_PASSWORD", "correct horse"}},
     "",
     "",
     "there is something that unseals"},
    {"S2-31",
     {{"SECURITY_VAULT_PASSWORD", "correct horse battery"}},
     "encryption.password",
     "${env:SECURITY_VAULT_PASSWORD} from env SECURITY_VAULT_PASSWORD",
     ""},
    {"S2-10 short", {{"SECURITY_VAULT_PASSWORD", "correct"}}, "", "", "fewer than 12"},
    {"C26 length", {{"ENCRYPTION_KEY", "c2hvcnQ="}}, "", "", "is not 32 bytes in base64"},
    {"C26 both",
     {{"ENCRYPTION_KEY", "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, {"SECURITY_VAULT_PASSWORD", "correct horse"}},
     "",
     "",
     "one unseals, not two"},
    {"C25", {{"MCP_API_KEY", "mcp_whatever"}}, "listen.port", "8000 from default", ""},
    {"S1-20",
     {{"DATABASE_URL", "sqlite:///./mcp_registry.db"}},
     "storage.url",
     "sqlite:///./mcp_registry.db from env DATABASE_URL",
     ""},
    {"S2-32", {{"TLS_CERT_PATH", "x.crt"}}, "tls.enabled", "true from env TLS_CERT_PATH", ""},
    {"S2-32",
     {{"TLS_KEY_PATH", "./security/certs/server.key"}},
     "tls.key",
     "./security/certs/server.key from env TLS_KEY_PATH",
     ""},
    {"S2-32", {{"TLS_CA_PATH", "ca.crt"}}, "tls.enabled", "false from default", ""},
    {"C17",
     {{"TLS_CERT_PATH", "x.crt"}, {"SALLYPORT_TLS_ENABLED", "false"}},
     "tls.enabled",
     "false from env SALLYPORT_TLS_ENABLED",
     "tls.certificate is set, but tls.enabled is false"},
    {"S0-29",
     {{"SALLYPORT_LISTEN_ADDRESS", "0.0.0.0"}, {"SALLYPORT_TLS_ENABLED", "true"}},
     "tls.enabled",
     "true from env SALLYPORT_TLS_ENABLED",
     ""},
    {"S0-29 client certificates",
     {{"SALLYPORT_TLS_CLIENT_CERTIFICATES", "required"}},
     "",
     "",
     "there is no TLS to ask for them"},
    {"S0-29 redirect", {{"SALLYPORT_LISTEN_REDIRECT_PORT", "80"}}, "", "", "there is no TLS to lead to"},
    {"S1-31", {{"SALLYPORT_LISTEN_PROXY_PROTOCOL", "true"}}, "", "", "nobody may send its header"},
    {"own name", {{"SALLYPORT_LISTEN_PORT", "8765"}}, "listen.port", "8765 from env SALLYPORT_LISTEN_PORT", ""},
    {"typing slip",
     {{"SALLYPORT_LISTEN_PROT", "8765"}},
     "listen.port",
     "8000 from default",
     "did you mean SALLYPORT_LISTEN_PORT?"},
};

INSTANTIATE_TEST_SUITE_P(Guides, EnvironmentAlias, testing::ValuesIn(kAliases));

TEST(Environment, WinsOverTheFile) {
  const auto s = with({{"RATE_LIMIT_REQUESTS", "5"}}, "rate: {default: {requests: 7, window_seconds: 10}}\n");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->rate.at("default"), (RateClass{5, 10s, 10}));
}

}  // namespace
}  // namespace sallyport::config
