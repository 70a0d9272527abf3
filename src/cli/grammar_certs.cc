// Commands about the built-in certificate authority.
#include "cli/grammar.h"

namespace sallyport::cli {

void Grammar::certificates() {
  CLI::App* n = noun("certs", "The built-in certificate authority, and what it has issued");
  CLI::App* init = command(n, "init", "Make the authority where there is none, and the gateway's own certificate",
                           "certs init --host gateway.example --host 10.0.0.7");
  init->add_option("--host", o_.hosts, "Name or address of the gateway (default: localhost, 127.0.0.1, ::1)")
      ->allow_extra_args(false);
  CLI::App* issue = command(n, "issue", "Issue a certificate; its key is shown, or written, once",
                            "certs issue client robot --user ada --days 90 --out robot\n"
                            "  sallyport certs issue server notes --host notes.internal --out notes");
  issue->add_option("KIND", o_.kind, "client or server")->required()->check(CLI::IsMember({"client", "server"}));
  required_name(issue, "NAME");
  issue->add_option("--user", o_.user, "User, by name or id, that the client stands for");
  issue->add_option("--host", o_.hosts, "Name or address in the certificate")->allow_extra_args(false);
  issue->add_option("--email", o_.emails, "E-mail address in the certificate of a client")->allow_extra_args(false);
  issue->add_option("--uri", o_.uris, "URI in the certificate of a client, such as spiffe://example.org/robot")
      ->allow_extra_args(false);
  issue->add_option("--days", o_.days, "Its life (default: certificates.leaf_days)")->check(CLI::Range(1, 825));
  issue->add_option("--p12", o_.pkcs12, "Write a PKCS #12 file too; its password is read from stdin")
      ->type_name("FILE");
  CLI::App* renew = command(n, "renew", "The same with a new key and a new life", "certs renew server");
  renew->add_option("NAME", o_.name, "Serial, name, server (the gateway's own, the default) or ca");
  renew->add_flag("--revoke-old", o_.revoke_old, "The former one is good no more");
  for (CLI::App* sub : {init, issue}) {
    sub->add_option("--key-type", o_.key_type, "ec-p256 or rsa-3072 (default: certificates.key_type)")
        ->check(CLI::IsMember({"ec-p256", "rsa-3072"}));
  }
  for (CLI::App* sub : {issue, renew}) {
    sub->add_option("--out", o_.output, "Write PREFIX.crt, PREFIX.key and PREFIX-ca.crt instead of showing them")
        ->type_name("PREFIX");
  }
  CLI::App* revoke = command(n, "revoke", "Revoke a certificate", "certs revoke SERIAL --reason keyCompromise");
  required_name(revoke, "SERIAL");
  revoke->add_option("--reason", o_.reason, "For the revocation list (default: unspecified)")
      ->check(CLI::IsMember({"unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation",
                             "privilegeWithdrawn"}));
  lists(command(n, "list", "All that was issued", "certs list --json"));
  CLI::App* show = command(n, "show", "One certificate", "certs show server");
  required_name(show, "SERIAL");
  CLI::App* trust =
      command(n, "trust", "How programs come to trust the authority", "certs trust --out sallyport-ca.crt");
  trust->add_option("--out", o_.output, "Write the authority's certificate to this file")->type_name("FILE");
}

}  // namespace sallyport::cli
