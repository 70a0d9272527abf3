// Roles: what they grant, and those of one's own.
#include "cli/context.h"

namespace sallyport::cli {
namespace {

int send(const Context& c, std::string_view method, const std::string& path, bool fresh) {
  const Options& o = c.options;
  json::Writer w;
  w.object();
  if (fresh) w.member("name", o.name);
  write_list(w, "scopes", o.scopes, o.no_scopes);
  write_list(w, "inherits", o.inherits, o.no_inherit);
  w.end_object();
  if (w.text() == "{}") return c.fail_with(kUsage, "nothing to change", "see sallyport role update --help");
  return finish(c, c.api(method, path, w.text()), details(c));
}

}  // namespace

int run_role(const Context& c) {
  const std::string_view what = std::string_view(c.options.command).substr(5);
  const std::string path = "/api/v1/roles/" + url_encode(c.options.name);
  if (what == "show") return finish(c, c.api("GET", path), details(c));
  if (what == "add") return send(c, "POST", "/api/v1/roles", true);
  if (what == "update") return send(c, "PUT", path, false);
  if (what == "delete") {
    return finish(c, c.api("DELETE", path), [&](json::Value) { return "removed " + printable(c.options.name) + "\n"; });
  }
  return finish(c, c.api("GET", "/api/v1/roles" + page(c.options)),
                list_of(c,
                        {{"name", "NAME", 40},
                         {"built_in", "BUILT IN"},
                         {"permissions", "PERMISSIONS", 80},
                         {"scopes", "SCOPES", 50},
                         {"inherits", "INHERITS", 30}},
                        "No roles"));
}

}  // namespace sallyport::cli
