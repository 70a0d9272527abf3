// Commands about people: roles, users, their factors, keys, sessions and tokens.
#include "cli/grammar.h"

namespace sallyport::cli {

void Grammar::roles() {
  CLI::App* n = noun("role", "What roles grant");
  lists(command(n, "list", "All roles"));
  required_name(command(n, "show", "One role"), "NAME");
  CLI::App* add = command(n, "add", "Make a role of your own",
                          "role add mailer --inherit user --scope 'tool:execute@gmail/*' --scope gmail.send");
  CLI::App* update = command(n, "update", "Change a role; what is not named stays",
                             "role update mailer --scope tool:read --scope gmail.send");
  for (CLI::App* sub : {add, update}) {
    required_name(sub, "NAME");
    scopes(sub);
    sub->add_option("--inherit", o_.inherits, "All roles whose rights it has too")->allow_extra_args(false);
  }
  update->add_flag("--no-scopes", o_.no_scopes, "Take all scopes away")->excludes("--scope");
  update->add_flag("--no-inherit", o_.no_inherit, "Let it inherit nothing")->excludes("--inherit");
  required_name(command(n, "delete", "Take away a role that nobody has"), "NAME");
}

void Grammar::groups() {
  CLI::App* n = noun("group", "Groups of people, and what they give their members");
  lists(command(n, "list", "All groups"));
  required_name(command(n, "show", "One group and who is in it"), "NAME");
  CLI::App* add = command(n, "add", "Make a group",
                          "group add mailers --role user --scope 'tool:execute@gmail/*' --scope gmail.send");
  CLI::App* set = command(n, "set", "Change a group; what is not named stays",
                          "group set mailers --scope tool:read --scope gmail.send");
  for (CLI::App* sub : {add, set}) {
    required_name(sub, "NAME");
    sub->add_option("--description", o_.description, "What it is for");
    sub->add_option("--role", o_.roles, "All roles that it gives; not admin, not agent")->allow_extra_args(false);
    scopes(sub);
  }
  set->add_flag("--no-roles", o_.no_roles, "Let it give no role")->excludes("--role");
  set->add_flag("--no-scopes", o_.no_scopes, "Take all scopes away")->excludes("--scope");
  required_name(command(n, "remove", "Take away a group that nobody is in"), "NAME");
  for (CLI::App* sub : {command(n, "join", "Let a user into a group", "group join mailers ada"),
                        command(n, "leave", "Take a user out of a group", "group leave mailers ada")}) {
    required_name(sub, "NAME");
    sub->add_option("USER", o_.user, "By name or id")->required()->type_name("");
  }
}

void Grammar::identities() {
  CLI::App* n = noun("identity", "Client certificates, and whom they stand for");
  lists(command(n, "list", "All of them"));
  CLI::App* add = command(n, "add", "Let a certificate stand for a user or an API key",
                          "identity add uri:spiffe://prod.example/agent --user ada\n"
                          "  sallyport identity add --certificate build.pem --key KEYID\n"
                          "  sallyport identity add dns:agent.example --issuer clients-ca.pem --key KEYID");
  add->add_option("NAME", o_.name, "sha256:HEX, uri:..., dns:... or email:..., exactly as it stands in the certificate")
      ->type_name("");
  add->add_option("--certificate", o_.client_certificate, "PEM file, whose fingerprint is the name")->type_name("FILE");
  add->add_option("--issuer", o_.issuer,
                  "PEM file of the authority whose certificates are meant; else any that is trusted")
      ->type_name("FILE");
  add->add_option("--user", o_.user, "By name or id");
  add->add_option("--key", o_.key_id, "By id");
  add->add_option("--including", o_.including,
                  "Serial of a certificate that the built-in authority issued with that name before")
      ->allow_extra_args(false);
  required_name(command(n, "remove", "Let it stand for nobody, from the next request on"), "ID");
}

void Grammar::access() {
  CLI::App* n = noun("access", "Who can call what");
  CLI::App* review = command(n, "review", "Who can call what, why, and when they last did; people, and API keys",
                             "access review --principal ada\n  sallyport access review --unused 90 --csv > unused.csv");
  review->add_option("--principal", o_.principal, "One user, by name or id, or one key by id");
  review->add_option("--server", o_.server, "The tools of one server");
  review->add_option("--tool", o_.tool, "One tool: SERVER/TOOL, or its name");
  review->add_option("--unused", o_.unused, "Only what was not used for so many days, or never")
      ->check(CLI::Range(0, 36500));
  review->add_flag("--csv", o_.csv, "Comma-separated values, for a spreadsheet");
}

void Grammar::scopes(CLI::App* sub) {
  sub->add_option("--scope", o_.scopes, "All that it grants: PERMISSION, PERMISSION@SERVER[/TOOL], or a dotted name")
      ->allow_extra_args(false);
}

void Grammar::users() {
  CLI::App* n = noun("user", "People who may log in");
  CLI::App* add = command(n, "add", "Create a user; without --password-stdin a random password is shown once",
                          "user add ada --role user --email ada@example.com");
  required_name(add, "NAME");
  add->add_option("--email", o_.email, "Mail address");
  add->add_option("--role", o_.roles, "admin, user, agent, readonly or one of your own (default: user)")
      ->allow_extra_args(false);
  scopes(add);
  add->add_flag("--password-stdin", o_.password_stdin, "Read the password from stdin");
  lists(command(n, "list", "All users"));
  required_name(command(n, "show", "One user"), "NAME");
  CLI::App* update = command(n, "update", "Change the address, the roles or the scopes; what is not named stays",
                             "user update ada --role user --role auditor");
  required_name(update, "NAME");
  update->add_option("--email", o_.email, "Mail address");
  update->add_option("--role", o_.roles, "All its roles from now on")->allow_extra_args(false);
  scopes(update);
  update->add_flag("--no-scopes", o_.no_scopes, "Take all of its own scopes away")->excludes("--scope");
  required_name(command(n, "disable", "Lock a user out, at once"), "NAME");
  required_name(command(n, "enable", "Let a user in again"), "NAME");
  required_name(command(n, "toggle", "Disable, or enable again"), "NAME");
  required_name(command(n, "delete", "Remove a user and the keys it owns, at once"), "NAME");
  CLI::App* passwd = command(n, "passwd", "Set a password", "user passwd ada --generate");
  required_name(passwd, "NAME");
  passwd->add_flag("--generate", o_.generate, "Make a random one, shown once");
  passwd->add_flag("--password-stdin", o_.password_stdin, "Read it from stdin");
}

void Grammar::second_factors() {
  CLI::App* n = noun("mfa", "The second factor of people: codes of an authenticator app");
  CLI::App* enroll = command(n, "enroll", "Make a secret and show it as a QR code", "mfa enroll ada --svg ada.svg");
  required_name(enroll, "NAME");
  enroll->add_option("--svg", o_.svg, "Write the QR code to this new file");
  enroll->add_option("--png", o_.png, "Write the QR code to this new file");
  required_name(
      command(n, "confirm", "Put it in force with a code from stdin; shows the recovery codes", "mfa confirm ada"),
      "NAME");
  required_name(command(n, "recovery", "New recovery codes; those before are dead"), "NAME");
  required_name(command(n, "disable", "Take it away, for whoever lost the device; ends all logins"), "NAME");
  required_name(command(n, "status", "Is one in force?"), "NAME");
}

// --NAME and --no-NAME; nothing said is nothing set.
void Grammar::yes_or_no(CLI::App* sub, const std::string& name, std::optional<bool>& value, const std::string& about) {
  sub->add_flag_function("--" + name + ",!--no-" + name, [&value](std::int64_t count) { value = count > 0; }, about);
}

void Grammar::key_rights(CLI::App* sub) {
  sub->add_option("--description", o_.description, "What it is for");
  yes_or_no(sub, "can-read", o_.can_read, "List and search tools");
  yes_or_no(sub, "can-create", o_.can_create, "Register tools");
  yes_or_no(sub, "can-update", o_.can_update, "Change tools");
  yes_or_no(sub, "can-delete", o_.can_delete, "Remove tools");
  yes_or_no(sub, "can-execute", o_.can_execute, "Call tools");
  sub->add_option("--scope", o_.scopes, "Narrower grant: PERMISSION@SERVER[/TOOL], or a dotted name")
      ->allow_extra_args(false);
  sub->add_option("--role", o_.roles, "Instead of 'agent'")->allow_extra_args(false);
  sub->add_option("--expires-at", o_.expires_at, "Time, UTC");
  sub->add_option("--address", o_.addresses, "It is good from here alone: 192.0.2.7, 10.0.0.0/8, 2001:db8::/32")
      ->allow_extra_args(false);
}

void Grammar::keys() {
  CLI::App* n = noun("key", "API keys of agents and services");
  CLI::App* create = command(
      n, "create", "Make a key; it is shown once",
      "key create my-agent --can-read --can-execute --scope 'tool:execute@calc' --expires-at 2027-01-01T00:00:00Z");
  required_name(create, "NAME");
  key_rights(create);
  lists(command(n, "list", "All keys, without their secrets"));
  required_name(command(n, "show", "One key: what it may, when it was used", "key show 4fQ9x2LmT0aB"), "ID");
  CLI::App* update = command(n, "update", "Change what is named, leave the rest",
                             "key update 4fQ9x2LmT0aB --no-can-delete --address 10.0.0.0/8");
  required_name(update, "ID");
  update->add_option("--name", o_.new_name, "Another name");
  key_rights(update);
  update->add_flag("--no-scopes", o_.no_scopes, "Take all scopes away")->excludes("--scope");
  update->add_flag("--any-address", o_.any_address, "Good from anywhere")->excludes("--address");
  update->add_flag("--never-expires", o_.never_expires, "Without an end")->excludes("--expires-at");
  CLI::App* rotate = command(n, "rotate", "A new secret, shown once; the old one is good for a while",
                             "key rotate 4fQ9x2LmT0aB --grace 1h");
  required_name(rotate, "ID");
  rotate->add_option("--grace", o_.grace, "So long the old one is good: 90s, 30m, 1h, 7d; 0: not at all")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}));
  required_name(command(n, "enable", "Let a disabled key in again"), "ID");
  required_name(command(n, "disable", "Shut a key out, and every token it bought, at once"), "ID");
  required_name(command(n, "toggle", "Disable an enabled key, enable a disabled one"), "ID");
  required_name(command(n, "revoke", "End a key, at once", "key revoke 4fQ9x2LmT0aB"), "ID");
}

void Grammar::sessions() {
  CLI::App* n = noun("session", "Logins: who is logged in, and the end of it");
  CLI::App* list = command(n, "list", "All sessions, newest first", "session list --user ada");
  list->add_option("--user", o_.user, "Of one user, by name or id");
  lists(list);
  CLI::App* end = command(n, "end", "End a session and every token of it, at once", "session end --user ada");
  end->add_option("ID", o_.name, "Of the session")->type_name("");
  end->add_option("--user", o_.user, "Every session of this user instead");
}

void Grammar::tokens() {
  CLI::App* n = noun("token", "Access tokens (JWT) and the keys that sign them");
  lists(command(n, "keys", "The signing keys: which one signs, which ones still verify and until when"));
  CLI::App* rotate =
      command(n, "rotate", "Let a new key sign from now on; the old one verifies until its last token expired",
              "token rotate\n  sallyport token rotate --revoke-old");
  rotate->add_flag("--revoke-old", o_.revoke_old,
                   "End every token of the former keys at once; a login or a refresh gives new ones");
  command(n, "inspect", "Say what a token on stdin holds, and whether and why the gateway refuses it",
          "token inspect < token.txt");
  required_name(command(n, "revoke", "End one access token by its id (claim jti), at once", "token revoke 5f0c...e1"),
                "ID");
}

}  // namespace sallyport::cli
