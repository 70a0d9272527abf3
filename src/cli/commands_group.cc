// Groups of people: what they give, and to whom.
#include "cli/context.h"

namespace sallyport::cli {
namespace {

int send(const Context& c, std::string_view method, const std::string& path, bool fresh) {
  const Options& o = c.options;
  json::Writer w;
  w.object();
  if (fresh) w.member("name", o.name);
  if (o.description) w.member("description", *o.description);
  write_list(w, "roles", o.roles, o.no_roles);
  write_list(w, "scopes", o.scopes, o.no_scopes);
  w.end_object();
  if (w.text() == "{}") return c.fail_with(kUsage, "nothing to change", "see sallyport group set --help");
  return finish(c, c.api(method, path, w.text()), details(c));
}

}  // namespace

int run_group(const Context& c) {
  const Options& o = c.options;
  const std::string_view what = std::string_view(o.command).substr(6);
  const std::string path = "/api/v1/groups/" + url_encode(o.name);
  const auto say = [](const std::string& text) { return [text](json::Value) { return text + "\n"; }; };
  if (what == "show") return finish(c, c.api("GET", path), details(c));
  if (what == "add") return send(c, "POST", "/api/v1/groups", true);
  if (what == "set") return send(c, "PUT", path, false);
  if (what == "remove") return finish(c, c.api("DELETE", path), say("removed " + printable(o.name)));
  const std::string member = path + "/members/" + url_encode(o.user);
  if (what == "join") {
    return finish(c, c.api("PUT", member, "{}"), say(printable(o.user) + " is in " + printable(o.name)));
  }
  if (what == "leave") {
    return finish(c, c.api("DELETE", member), say(printable(o.user) + " is not in " + printable(o.name)));
  }
  return finish(c, c.api("GET", "/api/v1/groups" + page(o)),
                list_of(c,
                        {{"name", "NAME", 40},
                         {"roles", "ROLES", 40},
                         {"scopes", "SCOPES", 60},
                         {"members", "MEMBERS", 60},
                         {"description", "DESCRIPTION", 40}},
                        "No groups"));
}

}  // namespace sallyport::cli
