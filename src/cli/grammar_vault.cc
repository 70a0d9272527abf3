// Commands about the vault.
#include "cli/grammar.h"

namespace sallyport::cli {

void Grammar::vault() {
  CLI::App* n = noun("vault", "Secrets: kept sealed, handed to servers by reference (${vault:NAME})");
  CLI::App* list = command(n, "list", "Secrets, without their values");
  lists(list);
  CLI::App* show = command(n, "show", "One secret and its versions, without their values");
  CLI::App* put =
      command(n, "put", "Store a secret: its value from stdin, from --file, or --generate",
              "vault put github-token < token.txt\n  sallyport vault put mail/password --sealed --file pw.txt");
  CLI::App* get = command(n, "get", "Print the value of a secret; the audit notes it", "vault get github-token");
  CLI::App* offer =
      command(n, "offer", "A token that shows a secret once", "vault offer github-token --expires-in 600");
  CLI::App* rollback =
      command(n, "rollback", "Put an earlier version in force", "vault rollback github-token --version 3");
  CLI::App* destroy = command(n, "destroy", "Destroy a version that is not in force");
  CLI::App* remove = command(n, "delete", "Delete a secret with all its versions; what a backup holds stays there");
  for (CLI::App* sub : {show, put, get, offer, rollback, destroy, remove}) required_name(sub, "NAME");
  for (CLI::App* sub : {list, show, put, rollback, destroy, remove}) {
    sub->add_option("--owner", o_.owner, "user:NAME or key:ID whose own it is (default: the gateway's)");
  }
  for (CLI::App* sub : {get, offer})
    sub->add_option("--version", o_.number, "Of the secret (default: the one in force)");
  for (CLI::App* sub : {rollback, destroy}) sub->add_option("--version", o_.number, "Of the secret")->required();
  offer->add_option("--expires-in", o_.grace, "Seconds (default: 3600)");
  put->add_option("--file", o_.from, "Read the value from a file; one newline at its end is dropped");
  put->add_flag("--generate", o_.generate, "Let the gateway make 32 random bytes, written as base64url")
      ->excludes("--file");
  put->add_flag("--sealed", o_.sealed, "Seal the value to the gateway's public key before it is sent")
      ->excludes("--generate");
  put->add_option("--description", o_.description, "One line");
  put->add_option("--label", o_.labels, "Of your own, such as env=prod")->allow_extra_args(false);
  put->add_option("--expires-at", o_.expires_at, "UTC: it is refused from then on");
  put->add_flag("--never-expires", o_.never_expires, "Take an expiry away")->excludes("--expires-at");
  put->add_flag("--no-value", o_.no_value, "Change what is said of it, and not its value")
      ->excludes("--file")
      ->excludes("--generate")
      ->excludes("--sealed");
  command(n, "reveal", "Print what a one-time token shows; the token comes from stdin", "vault reveal < token.txt");
  command(n, "status", "Is it sealed? How much does it hold?");
  command(n, "seal", "Drop its key material from memory: servers that need its secrets do not start any more");
  command(n, "unseal", "Read its key material from its source again");
  CLI::App* key = command(n, "exchange-key", "The public key that secrets are sealed to; with --rotate, a new one");
  key->add_flag("--rotate", o_.rotate, "Publish a new key; the former opens for a while longer");
  vault_keys(n);
}

void Grammar::vault_keys(CLI::App* n) {
  command(n, "keys", "What opens the keyring, and its key-encryption keys by number and age");
  CLI::App* rotate = command(
      n, "rotate",
      "A new key: kek, that wraps all others (which are wrapped anew); api-keys, that API keys are hashed under",
      "vault rotate kek\n  sallyport vault rotate api-keys");
  rotate->add_option("WHAT", o_.name, "kek or api-keys")
      ->required()
      ->type_name("")
      ->check(CLI::IsMember({"kek", "api-keys"}));
  CLI::App* password =
      command(n, "password", "Let another password open the keyring from now on; asks for it, or takes a line of stdin",
              "vault password\n  sallyport vault password --source file");
  password
      ->add_option("--source", o_.from,
                   "password (default), file, environment (a new ENCRYPTION_KEY on stdin), hsm, transit")
      ->check(CLI::IsMember({"password", "file", "environment", "hsm", "transit"}));
}

}  // namespace sallyport::cli
