// The part of the table for the built-in certificate authority.
#include "config/add_row.h"

namespace sallyport::config {

void add_certificates(Add<Settings> add) {
  add.integer("certificates.authority_days", 3650, {30, 7300, "days"},
              "Life of the certificate of the built-in authority, when it is made or renewed (S2-27).",
              SP_INTO(certificates.authority_days));
  add.integer("certificates.leaf_days", 365, {1, 825, "days"},
              "Life of a certificate that it issues, where the order does not say; the gateway's own is renewed at two "
              "thirds of it (S2-27).",
              SP_INTO(certificates.leaf_days));
  add.integer("certificates.crl_days", 30, {1, 365, "days"},
              "So long a revocation list is good; it is written anew at two thirds of it, and at each revocation.",
              SP_INTO(certificates.crl_days));
  add.choice("certificates.key_type", "ec-p256", {"ec-p256", "rsa-3072"},
             "Keys of the authority and of what it issues, where the order does not say.",
             SP_INTO(certificates.key_type));
  add.flag("acme.enabled", false,
           "Get the gateway's certificate from the public authority at acme.directory, and renew it; that its terms of "
           "service are agreed to is thereby said. Needs the program lego (apt-get install lego).",
           SP_INTO(acme.enabled));
  add.text("acme.directory", "", {0, 2048, check_http_url}, "URL of the authority's directory (RFC 8555).",
           SP_INTO(acme.directory));
  add.text("acme.email", "", {0, 254, nullptr}, "Whom the authority writes to.", SP_INTO(acme.email));
  add.list("acme.hosts", "", {0, 253, check_host}, "Names in the certificate; no addresses, no wildcards.",
           SP_INTO(acme.hosts));
  add.choice(
      "acme.challenge", "http-01", {"http-01", "tls-alpn-01"},
      "How the names are shown to be ours: http-01 by the plain listener, which the authority reaches on port 80; "
      "tls-alpn-01 by the gateway's own TLS port, or by acme.port, which the authority reaches on port 443.",
      SP_INTO(acme.challenge));
  add.integer("acme.port", 0, {0, 65'535, ""},
              "Where the client listens for tls-alpn-01 by itself; 0: the gateway's own TLS port answers.",
              SP_INTO(acme.port));
  add.text("acme.eab_kid", "", {0, 1024, nullptr},
           "External account binding, where the authority asks for it: the key's identifier, as the authority gave it.",
           SP_INTO(acme.eab_kid));
  add.secret("acme.eab_hmac", "The key of the external account binding, in base64url as the authority gave it.",
             SP_INTO(acme.eab_hmac));
  add.text(
      "acme.ca", "", {0, 4096, nullptr},
      "PEM file of the roots by which the directory's own certificate is checked; relative to the home; empty: the "
      "machine's.",
      SP_INTO(acme.ca));
  add.text("acme.program", "/usr/bin/lego", {1, 4096, nullptr}, "The ACME client, by its absolute path.",
           SP_INTO(acme.program));
}

}  // namespace sallyport::config
