// A certificate of a public authority for the gateway, by ACME (RFC 8555), through Debian's `lego` as a child process: what it
// is told, and what is made of what it leaves. Its account and its work lie in <home>/certs/lego; answers to http-01 in
// <home>/certs/acme/TOKEN, from where the plain listener serves them. Blocking file calls; one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "control/child_process.h"
#include "core/clock.h"
#include "crypto/x509.h"

namespace sallyport::control {

struct AcmeRules {
  bool enabled = false;
  std::string program;  // lego, by its absolute path
  std::string directory;  // URL
  std::string email;
  std::vector<std::string> hosts;  // names; the first gives the certificate its name
  bool tls_alpn = false;  // tls-alpn-01; else http-01 by the folder
  std::uint16_t port =
      0;  // of tls-alpn-01: where lego listens for the world; 0: on loopback, behind net/challenge_gate.h
  std::string eab_kid;  // external account binding (RFC 8555 7.3.4); empty: none is asked for
  std::string ca;  // PEM file of roots that the directory's own certificate is checked by; empty: the machine's
};

// Of one run.
struct AcmeRun {
  std::uint16_t inner_port = 0;  // on loopback, where rules.port is 0
  Secret eab_hmac;  // base64url; where needs_binding() says so
};

// There is an identifier of an external account, and no account at that directory yet. Whoever may list processes reads lego's
// arguments, and it takes the key in no other way; so the key is given for the registration alone.
[[nodiscard]] bool needs_binding(const AcmeRules& rules, const std::filesystem::path& certs);

// A port of 127.0.0.1 that nobody has at this moment. Errors: io.
Result<std::uint16_t> free_loopback_port();

// May the client listen at rules.port when its time comes? Asked by listening there for a moment, at all addresses as lego does; fine
// where it needs none. Errors: io, naming the fix.
Result<void> try_acme_port(const AcmeRules& rules);

// Makes the folders; the order for run_child(). Errors: io.
Result<ChildOrder> acme_order(const AcmeRules& rules, const std::filesystem::path& certs, const AcmeRun& run);

struct AcmeCertificate {
  std::string chain_pem;
  Secret key_pem;  // PKCS #8
};

// What the child left, looked at (it is for this key, these hosts, serving, and now), and removed from its folder. Errors:
// not_found (it left nothing), crypto, validation.
Result<AcmeCertificate> take_acme_certificate(const AcmeRules& rules, const std::filesystem::path& certs, WallTime now);

}  // namespace sallyport::control
