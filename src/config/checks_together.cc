// What is wrong only in combination, and secrets: fail closed, with the reason and the fix.
#include <algorithm>
#include <set>

#include "config/sources.h"
#include "config/values.h"
#include "core/encoding.h"

namespace sallyport::config {
namespace {

class Together {
 public:
  Together(Settings& settings, const GivenValues& given, const Environment& environment, Mistakes& mistakes)
      : s_(settings), given_(given), environment_(environment), mistakes_(mistakes) {}

  void run() {
    audit();
    encryption();
    listening();
    signing_key();
    approval();
    upstream();
    policy();
    acme();
    backup();
    references();
  }

 private:
  void refuse(std::string_view path, std::string_view reason, std::string_view fix) {
    refused_.emplace(path);
    const auto found = given_.find(path);
    mistakes_.from(found == given_.end() ? "default" : found->second.source, path, reason, fix);
  }

  void audit() {
    if (!s_.audit.enabled) {
      refuse("audit.enabled", "a gateway without an audit does not start (C24)", "remove it, or set it to true");
    }
  }

  void encryption() {
    const EncryptionSettings& e = s_.encryption;
    int sources = 0;
    for (const std::string* given : {&e.key, &e.password, &e.hsm_module, &e.transit.url})
      sources += given->empty() ? 0 : 1;
    if (sources > 1) {
      refuse(
          !e.key.empty()        ? "encryption.key"
          : !e.password.empty() ? "encryption.password"
                                : "encryption.hsm_module",
          "of encryption.password, encryption.key, encryption.hsm_module and encryption.transit_url one unseals, not "
          "two (C26)",
          "set one of them");
    }
    if (!e.enabled) unencrypted(sources);
    if (!e.key.empty()) encryption_key();
    if (!e.password.empty()) encryption_password();
    if (!e.hsm_module.empty()) encryption_hsm();
    if (!e.transit.url.empty()) encryption_transit();
  }

  void unencrypted(int sources) {
    if (!is_loopback_address(s_.listen.address)) {
      refuse("encryption.enabled", "false is accepted on a loopback address only (C24)",
             "set listen.address to 127.0.0.1");
    } else if (sources != 0) {
      refuse("encryption.enabled", "is false, and there is something that unseals", "remove one of the two");
    } else {
      s_.warnings.emplace_back("encryption.enabled is false: the vault stays sealed and keeps no secrets (C24)");
    }
  }

  // C26: 32 bytes in base64, either alphabet, with or without padding.
  void encryption_key() {
    const auto secret = resolve_reference(s_.encryption.key, s_.home, environment_);
    if (!secret) return refuse("encryption.key", secret.error().detail, "make the reference readable");
    const auto bytes = base64_decode(secret->reveal());
    if (!bytes || bytes->size() != 32) {
      refuse("encryption.key", "is not 32 bytes in base64 (C26)", "make one with: openssl rand -base64 32");
    }
  }

  // C17: who names a certificate wants it served, unless tls.enabled says otherwise.
  void tls() {
    s_.tls.crl_required = given_.contains("tls.crl");
    for (const char* const path : {"tls.certificate", "tls.key"}) {
      const auto found = given_.find(path);
      if (found == given_.end()) continue;
      if (!given_.contains("tls.enabled")) turn_on_tls(found->second.source);
      else if (!s_.tls.enabled)
        s_.warnings.push_back(std::string(path) + " is set, but tls.enabled is false: plain HTTP");
    }
    client_certificates();
    if (s_.tls.enabled) return;
    if (s_.tls.client_certificates != "none") {
      refuse("tls.client_certificates", "there is no TLS to ask for them", "set tls.enabled: true");
    }
    if (s_.listen.redirect_port != 0) {
      refuse("listen.redirect_port", "there is no TLS to lead to", "set tls.enabled: true, or remove it");
    }
  }

  void turn_on_tls(const std::string& source) {
    s_.tls.enabled = true;
    for (Explained& row : s_.explained) {
      if (row.path == "tls.enabled") row = {row.path, "true", source};
    }
  }

  // S2-10, S2-31
  void encryption_password() {
    const auto secret = resolve_reference(s_.encryption.password, s_.home, environment_);
    if (!secret) return refuse("encryption.password", secret.error().detail, "make the reference readable");
    if (secret->size() < 12 || secret->size() > 1024) {
      refuse("encryption.password", "has fewer than 12 or more than 1024 bytes",
             "choose a longer one, such as five words");
    }
  }

  // S2-14
  void encryption_hsm() {
    const EncryptionSettings& e = s_.encryption;
    if (!e.hsm_module.starts_with('/')) {
      refuse("encryption.hsm_module", "is not an absolute path",
             "name the library, such as /usr/lib/softhsm/libsofthsm2.so");
    }
    if (e.hsm_token.empty() || e.hsm_key.empty()) {
      refuse("encryption.hsm_module", "without encryption.hsm_token and hsm_key there is no key to ask for",
             "set both");
    }
    if (e.hsm_pin.empty()) {
      return refuse("encryption.hsm_module", "the token asks for a PIN", "set encryption.hsm_pin to a reference");
    }
    const auto pin = resolve_reference(e.hsm_pin, s_.home, environment_);
    if (!pin) refuse("encryption.hsm_pin", pin.error().detail, "make the reference readable");
  }

  // S2-14
  void encryption_transit() {
    const TransitSettings& t = s_.encryption.transit;
    if (t.key.empty()) {
      refuse("encryption.transit_url", "without encryption.transit_key there is no key to ask for",
             "set it to the key's name");
    }
    if (t.token.empty()) {
      return refuse("encryption.transit_url", "the server asks for a token",
                    "set encryption.transit_token to a reference, such as ${file:secrets/transit-token}");
    }
    const auto token = resolve_reference(t.token, s_.home, environment_);
    if (!token) return refuse("encryption.transit_token", token.error().detail, "make the reference readable");
    if (token->empty()) refuse("encryption.transit_token", "is empty", "put the token there");
  }

  // What no handshake of ours has verified is no proof: a proxy in front cannot speak of certificates (S2-26).
  void client_certificates() {
    if (s_.auth.client_certificates == "off" || (s_.tls.enabled && s_.tls.client_certificates != "none")) return;
    refuse("auth.client_certificates", "nobody asks clients for a certificate",
           "set tls.enabled: true and tls.client_certificates: optional or required; or set it to off");
  }

  // C16
  void listening() {
    tls();
    if (!is_loopback_address(s_.listen.address) && !s_.listen.behind_tls_proxy && !s_.tls.enabled) {
      refuse("listen.address", s_.listen.address + " is reachable from outside and there is no TLS (C16)",
             "listen on 127.0.0.1, or set tls.enabled: true (docs/tls.md), or put a TLS proxy in front and set "
             "listen.behind_tls_proxy: true");
    }
    if (s_.listen.redirect_port != 0 && s_.listen.redirect_port == s_.listen.port) {
      refuse("listen.redirect_port", "is listen.port itself", "take two ports, such as 80 and 443");
    }
    if (s_.listen.proxy_protocol && s_.listen.trusted_proxies.empty()) {
      refuse("listen.proxy_protocol", "nobody may send its header", "name the proxies in listen.trusted_proxies");
    }
    if (s_.listen.behind_tls_proxy && s_.listen.trusted_proxies.empty()) behind_nobody();
  }

  // What comes in the clear must come from the proxy.
  void behind_nobody() {
    if (!s_.tls.enabled && !is_loopback_address(s_.listen.address)) {
      refuse("listen.behind_tls_proxy", "anybody who reaches " + s_.listen.address + " could speak to it in the clear",
             "name the proxy's networks in listen.trusted_proxies, such as [10.0.0.5/32]");
    } else {
      s_.warnings.emplace_back(
          "listen.behind_tls_proxy without listen.trusted_proxies: every client shares the proxy's address in limits "
          "and audit");
    }
  }

  void signing_key() {
    if (s_.auth.secret_key.empty()) return;
    const auto secret = resolve_reference(s_.auth.secret_key, s_.home, environment_);
    if (!secret)
      return refuse("auth.secret_key", secret.error().detail, "make the reference readable, or leave it out");
    const std::string reason = weak_secret_reason(secret->reveal());
    if (!reason.empty()) {
      refuse("auth.secret_key", reason,
             "make one with: openssl rand -base64 48; or leave it out: the first start makes one");
    }
    if (s_.auth.algorithm != "HS256") {
      s_.warnings.push_back("auth.secret_key is read, but signs nothing: auth.algorithm is " + s_.auth.algorithm);
    }
  }

  void approval() {
    if (s_.approval.webhook.empty()) return;
    if (s_.approval.webhook_secret.empty()) {
      return refuse("approval.webhook", "nobody could tell that a message is ours",
                    "set approval.webhook_secret to a reference, such as ${file:secrets/webhook}");
    }
    const auto secret = resolve_reference(s_.approval.webhook_secret, s_.home, environment_);
    if (!secret) return refuse("approval.webhook_secret", secret.error().detail, "make the reference readable");
    if (secret->size() < 16) {
      refuse("approval.webhook_secret", "is shorter than 16 bytes", "make one with: openssl rand -base64 32");
    }
  }

  void acme() {
    if (!s_.acme.enabled) return;
    if (!s_.acme.directory.starts_with("https://")) {
      refuse("acme.directory", "is no https:// URL", "write the directory's URL as the authority publishes it");
    }
    if (s_.acme.email.find('@') == std::string::npos) {
      refuse("acme.email", "is no address that the authority could write to", "name one");
    }
    if (s_.acme.hosts.empty()) refuse("acme.hosts", "names nothing", "name the gateway as clients reach it");
    for (const std::string& host : s_.acme.hosts) {
      const bool has_letter =
          std::ranges::any_of(host, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
      if (host.starts_with('*') || host.find(':') != std::string::npos || !has_letter) {
        refuse("acme.hosts", host + " is no host name",
               "leave out addresses and wildcards: the challenges do not show them");
      } else if (host == "localhost" || host.ends_with(".localhost")) {
        refuse("acme.hosts", host + " is every machine's own name (RFC 6761 6.3)",
               "name the gateway as clients reach it");
      }
    }
    if (!s_.acme.program.starts_with('/'))
      refuse("acme.program", "is no absolute path", "write what 'command -v lego' prints");
    if (!s_.tls.enabled) {
      s_.warnings.emplace_back(
          "acme.enabled without tls.enabled: the certificate is kept in <home>/certs, and served by nobody here");
    }
    s_.acme.challenge == "http-01" ? http_challenge() : port_challenge();
    if (s_.acme.challenge == "tls-alpn-01" && s_.acme.port == 0 && !s_.tls.enabled)
      refuse("acme.port", "is 0, and the gateway has no TLS port of its own to answer at",
             "set tls.enabled, or name the port that the client shall listen at");
    external_account();
  }

  // The plain listener answers it, for the names that it knows.
  void http_challenge() {
    if (s_.acme.port != 0) s_.warnings.emplace_back("acme.port is set, but acme.challenge is http-01: it is not used");
    if (s_.listen.redirect_port == 0) {
      s_.warnings.emplace_back(
          "acme.challenge is http-01 and listen.redirect_port is 0: something else has to serve <home>/certs/acme as "
          "/.well-known/acme-challenge on port 80; or set listen.redirect_port: 80");
      return;
    }
    for (const std::string& host : s_.acme.hosts) {
      const bool known = std::ranges::any_of(s_.listen.hosts, [&](std::string_view one) {
        return one == host || (one.starts_with("*.") && host.ends_with(one.substr(1)));
      });
      if (!known) {
        refuse("acme.hosts", host + " is not in listen.hosts: the plain port would not answer the authority",
               "add it to listen.hosts");
      }
    }
  }

  void port_challenge() {
    if (s_.acme.port == 0) return;
    const bool listen = s_.acme.port == s_.listen.port;
    if (listen || s_.acme.port == s_.listen.redirect_port) {
      refuse("acme.port", std::string("is ") + (listen ? "listen.port" : "listen.redirect_port") + " itself",
             "name a port that nobody listens at, or leave it out where the gateway has the TLS port");
    }
  }

  void external_account() {
    if (s_.acme.eab_kid.empty() != s_.acme.eab_hmac.empty())
      return refuse("acme.eab_kid", "stands without acme.eab_hmac, or the other way", "set both, or neither");
    if (s_.acme.eab_hmac.empty()) return;
    const auto secret = resolve_reference(s_.acme.eab_hmac, s_.home, environment_);
    if (!secret) return refuse("acme.eab_hmac", secret.error().detail, "make the reference readable");
    const auto key = base64url_decode(secret->reveal());
    if (!key || key->size() < 16)
      refuse("acme.eab_hmac", "is no base64url of at least 16 bytes without '='", "write it as the authority gave it");
  }

  void upstream() {
    if (s_.upstream.sessions_per_server > s_.upstream.sessions_total) {
      refuse("upstream.sessions_per_server", "is above upstream.sessions_total", "raise the total or lower this one");
    }
    if (s_.limits.connections_per_address > s_.limits.connections) {
      refuse("limits.connections_per_address", "is above limits.connections", "raise the total or lower this one");
    }
    if (s_.sandbox.run_as == "root" || s_.sandbox.run_as == "0") {
      refuse("sandbox.run_as", "the gateway never serves as root", "name another user");
    }
  }

  void policy() {
    bundle();
    const bool asks = s_.policy.backend == "opa";
    if (asks && s_.opa.url.empty()) {
      refuse("policy.backend", "there is no opa.url to ask", "set opa.url, such as http://127.0.0.1:8181");
    }
    if (!asks && !s_.opa.url.empty()) {
      s_.warnings.emplace_back("opa.url is set, but policy.backend is embedded: OPA is not asked");
    }
    if (asks && s_.opa.url.starts_with("http://") && !s_.opa.token.empty() && !s_.opa.allow_private) {
      refuse("opa.url", "the token would cross a network in the clear", "write https://");
    }
  }

  void bundle() {
    const std::string& place = s_.policy.bundle;
    if (place.empty() || place.starts_with("https://")) return;
    if (place.starts_with("http://")) {
      if (s_.policy.bundle_key.empty()) {
        refuse("policy.bundle", "whoever is on the way could put policies of their own in",
               "write https://, or have it signed and set policy.bundle_key");
      } else if (!s_.policy.bundle_token.empty() && !s_.policy.bundle_allow_private) {
        refuse("policy.bundle", "the token would cross a network in the clear", "write https://");
      }
    } else if (!place.starts_with('/')) {
      refuse("policy.bundle", "is neither a URL nor an absolute path",
             "write /path/bundle.tar.gz or https://host/bundle.tar.gz");
    }
  }

  // S2-11: found out at the start, not when the first backup fails.
  void backup() {
    if (s_.backup.recovery_password.empty()) return;
    const auto secret = resolve_reference(s_.backup.recovery_password, s_.home, environment_);
    if (!secret)
      return refuse("backup.recovery_password", secret.error().detail, "make the reference readable, or leave it out");
    if (secret->size() < 12 || secret->size() > 1024) {
      refuse("backup.recovery_password", "has fewer than 12 or more than 1024 bytes",
             "choose a longer one, such as five words");
    }
  }

  // What no setting can be read from is said of each, whether or not something reads it yet.
  void references() {
    for (const Row& row : table()) {
      const auto found = given_.find(row.path);
      if (row.type != Type::secret || found == given_.end() || refused_.contains(row.path)) continue;
      const auto& text = std::get<std::string>(found->second.value);
      if (text.starts_with("${env:") || text.starts_with("${file:")) continue;
      const auto secret = resolve_reference(text, s_.home, environment_);
      if (!secret) refuse(row.path, secret.error().detail, "keep it where the start can read it");
    }
  }

  Settings& s_;
  const GivenValues& given_;
  const Environment& environment_;
  Mistakes& mistakes_;
  std::set<std::string, std::less<>> refused_;
};

}  // namespace

void check_together(Settings& settings, const GivenValues& given, const Environment& environment, Mistakes& mistakes) {
  Together(settings, given, environment, mistakes).run();
}

}  // namespace sallyport::config
