#include <algorithm>
#include <ostream>

#include "cli/ask_secret.h"
#include "cli/context.h"
#include "core/random.h"

namespace sallyport::cli {
namespace {

// 24 random characters with the four classes that profile `guide` asks for (S2-35).
std::string random_password() {
  SystemRandom random;
  for (;;) {
    std::string text = random_id(random, 18);
    const auto has = [&text](char from, char to) {
      return std::ranges::any_of(text, [=](char c) { return c >= from && c <= to; });
    };
    if (has('a', 'z') && has('A', 'Z') && has('0', '9') && text.find_first_of("-_") != std::string::npos) return text;
  }
}

int add_user(const Context& c) {
  const Options& o = c.options;
  const bool made = !o.password_stdin;
  const auto password = made ? Result<Secret>(Secret(random_password())) : ask_secret(c, "Password", Asking::twice);
  if (!password) return c.fail_with(kUsage, password.error().detail);
  if (password->empty())
    return c.fail_with(kUsage, "no password on stdin", "printf %s PASSWORD | sallyport user add NAME --password-stdin");
  json::Writer w;
  w.object().member("username", o.name);
  if (const auto written = write_secret(w, "password", *password); !written)
    return c.fail_with(kUsage, written.error().detail);
  w.member("must_change_password", made);
  if (!o.email.empty()) w.member("email", o.email);
  write_names(w, "roles", o.roles.empty() ? std::vector<std::string>{"user"} : o.roles);
  write_names(w, "scopes", o.scopes);
  w.end_object();
  std::string body = w.take();
  const int code = finish(c, c.api("POST", "/api/v1/users", body), details(c));
  // With --json the answer must stay the API's own: the password goes to stderr.
  if (code == kOk && made)
    (o.json ? c.io.err : c.io.out) << "password (shown once, to be changed at the first login): " << password->reveal()
                                   << "\n";
  wipe(body);
  return code;
}

int set_password(const Context& c) {
  const Options& o = c.options;
  const std::string path = "/api/v1/users/" + url_encode(o.name) + "/password";
  if (o.generate) return finish(c, c.api("PUT", path, R"({"generate":true})"), details(c));
  if (!o.password_stdin && !c.io.interactive) {
    return c.fail_with(kUsage, "no terminal to ask for the password", "use --generate or --password-stdin");
  }
  const auto password = ask_secret(c, "New password", Asking::twice);
  if (!password) return c.fail_with(kUsage, password.error().detail);
  if (password->empty()) return c.fail_with(kUsage, "the password is empty", "type one, or use --generate");
  json::Writer w;
  w.object();
  if (const auto written = write_secret(w, "password", *password); !written)
    return c.fail_with(kUsage, written.error().detail);
  std::string body = w.end_object().take();
  const int code = finish(c, c.api("PUT", path, body),
                          [&](json::Value) { return "the password of " + printable(o.name) + " is set\n"; });
  wipe(body);
  return code;
}

int update_user(const Context& c) {
  const Options& o = c.options;
  if (o.email.empty() && o.roles.empty() && o.scopes.empty() && !o.no_scopes) {
    return c.fail_with(kUsage, "nothing to change", "name --email, --role, --scope or --no-scopes");
  }
  json::Writer w;
  w.object();
  if (!o.email.empty()) w.member("email", o.email);
  write_names(w, "roles", o.roles);
  write_list(w, "scopes", o.scopes, o.no_scopes);
  w.end_object();
  return finish(c, c.api("PUT", "/api/v1/users/" + url_encode(o.name), w.text()), details(c));
}

}  // namespace

int run_user(const Context& c) {
  const std::string what = c.options.command.substr(5);
  if (what == "add") return add_user(c);
  if (what == "passwd") return set_password(c);
  if (what == "list") {
    return finish(c, c.api("GET", "/api/v1/users" + page(c.options)),
                  list_of(c,
                          {{"id", "ID"},
                           {"username", "NAME", 40},
                           {"email", "EMAIL", 40},
                           {"roles", "ROLES"},
                           {"groups", "GROUPS", 40},
                           {"enabled", "ENABLED"},
                           {"created_at", "CREATED"}},
                          "No users"));
  }
  const std::string path = "/api/v1/users/" + url_encode(c.options.name);
  if (what == "show") return finish(c, c.api("GET", path), details(c));
  if (what == "update") return update_user(c);
  if (what == "delete") {
    return finish(c, c.api("DELETE", path), [&](json::Value) { return printable(c.options.name) + " is deleted\n"; });
  }
  if (what == "toggle") return finish(c, c.api("POST", path + "/toggle", "{}"), details(c));
  return finish(c, c.api("POST", path + "/" + what, "{}"),
                [&](json::Value) { return printable(c.options.name) + " is " + what + "d\n"; });
}

}  // namespace sallyport::cli
