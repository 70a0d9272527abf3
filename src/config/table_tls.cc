// The part of the table for the listener's TLS.
#include "config/add_row.h"

namespace sallyport::config {

void add_tls(Add<Settings> add) {
  add.flag(
      "tls.enabled", false,
      "Serve HTTPS on listen.port (S0-29, C17); taken as true where tls.certificate or tls.key is set and this is not.",
      SP_INTO(tls.enabled));
  add.text("tls.certificate", "certs/server.crt", {1, 4096, nullptr},
           "PEM: the server's certificate, then its issuers; relative to the home. Read anew when it changes.",
           SP_INTO(tls.certificate))
      .env({{"TLS_CERT_PATH"}});
  add.text(
         "tls.key", "certs/server.key", {1, 4096, nullptr},
         "PEM: its private key, mode 0600, without a passphrase: RSA of 2,048 bits at least, or EC on P-256 or P-384.",
         SP_INTO(tls.key))
      .env({{"TLS_KEY_PATH"}});
  add.text("tls.ocsp", "", {0, 4096, nullptr}, "DER: an OCSP response to be stapled; empty: none.", SP_INTO(tls.ocsp));
  add.choice("tls.profile", "intermediate", {"intermediate", "modern"},
             "Mozilla's guideline for servers: intermediate is TLS 1.2 and 1.3, modern is TLS 1.3 alone.",
             SP_INTO(tls.profile));
  add.choice("tls.client_certificates", "none", {"none", "optional", "required"},
             "Ask clients for a certificate of tls.client_ca (mutual TLS, S2-26). A bad one is refused in any case.",
             SP_INTO(tls.client_certificates));
  add.text("tls.client_ca", "certs/ca.crt", {1, 4096, nullptr},
           "PEM: the authorities of client certificates; relative to the home.", SP_INTO(tls.client_ca))
      .env({{"TLS_CA_PATH"}});
  add.text("tls.crl", kDefaultCrl, {1, 4096, nullptr},
           "PEM: their revocation lists, one of each authority. The default is looked at where it is there; another "
           "must be.",
           SP_INTO(tls.crl));
}

}  // namespace sallyport::config
