// sallyport key: API keys, by the REST API's /keys.
#include <array>

#include "cli/context.h"

namespace sallyport::cli {
namespace {

constexpr std::string_view kKeepIt = "Keep api_key now: it is not shown again.\n";

void write_flags(json::Writer& w, const Options& o, bool all) {
  using Flag = std::pair<std::string_view, std::optional<bool>>;
  for (const auto& [name, value] :
       std::array{Flag{"can_read", o.can_read}, Flag{"can_create", o.can_create}, Flag{"can_update", o.can_update},
                  Flag{"can_delete", o.can_delete}, Flag{"can_execute", o.can_execute}}) {
    if (all || value) w.member(name, value.value_or(false));
  }
}

int create_key(const Context& c) {
  const Options& o = c.options;
  json::Writer w;
  w.object().member("name", o.name);
  if (o.description) w.member("description", *o.description);
  write_flags(w, o, true);
  write_names(w, "scopes", o.scopes);
  write_names(w, "roles", o.roles);
  write_names(w, "addresses", o.addresses);
  if (!o.expires_at.empty()) w.member("expires_at", o.expires_at);
  w.end_object();
  return finish(c, c.api("POST", "/api/v1/keys", w.text()),
                [&](json::Value root) { return render_value(root, c.io.colour) + std::string(kKeepIt); });
}

int update_key(const Context& c, const std::string& path) {
  const Options& o = c.options;
  json::Writer w;
  w.object();
  if (!o.new_name.empty()) w.member("name", o.new_name);
  if (o.description) w.member("description", *o.description);
  write_flags(w, o, false);
  write_list(w, "scopes", o.scopes, o.no_scopes);
  write_names(w, "roles", o.roles);
  write_list(w, "addresses", o.addresses, o.any_address);
  if (o.never_expires) w.key("expires_at").null();
  else if (!o.expires_at.empty()) w.member("expires_at", o.expires_at);
  w.end_object();
  if (w.text() == "{}") return c.fail_with(kUsage, "nothing to change", "see sallyport key update --help");
  return finish(c, c.api("PUT", path, w.text()), details(c));
}

int rotate_key(const Context& c, const std::string& path) {
  json::Writer w;
  w.object();
  if (c.options.grace) w.member("grace_seconds", *c.options.grace);
  w.end_object();
  return finish(c, c.api("POST", path + "/rotate", w.text()),
                [&](json::Value root) { return render_value(root, c.io.colour) + std::string(kKeepIt); });
}

int list_keys(const Context& c) {
  return finish(c, c.api("GET", "/api/v1/keys" + page(c.options)),
                list_of(c,
                        {{"id", "ID"},
                         {"name", "NAME", 40},
                         {"roles", "ROLES"},
                         {"can_read", "READ"},
                         {"can_execute", "EXECUTE"},
                         {"scopes", "SCOPES", 50},
                         {"enabled", "ENABLED"},
                         {"expires_at", "EXPIRES"},
                         {"last_used_at", "LAST USED"},
                         {"use_count", "USES"}},
                        "No keys"));
}

}  // namespace

int run_key(const Context& c) {
  const std::string what = c.options.command.substr(4);
  if (what == "create") return create_key(c);
  if (what == "list") return list_keys(c);
  const std::string path = "/api/v1/keys/" + url_encode(c.options.name);
  if (what == "show") return finish(c, c.api("GET", path), details(c));
  if (what == "update") return update_key(c, path);
  if (what == "rotate") return rotate_key(c, path);
  if (what == "toggle") return finish(c, c.api("POST", path + "/toggle", "{}"), details(c));
  if (what == "revoke") {
    return finish(c, c.api("DELETE", path), [&](json::Value) { return "revoked " + printable(c.options.name) + "\n"; });
  }
  return finish(c, c.api("POST", path + "/" + what, "{}"),
                [&](json::Value) { return printable(c.options.name) + " is " + what + "d\n"; });
}

}  // namespace sallyport::cli
