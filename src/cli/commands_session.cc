// Who is logged in, and the end of it: sessions and single tokens.
#include <optional>

#include "cli/context.h"

namespace sallyport::cli {
namespace {

int list_sessions(const Context& c) {
  const Options& o = c.options;
  std::string page =
      query({{"user", o.user}, {"limit", std::to_string(o.limit)}, {"offset", std::to_string(o.offset)}});
  return finish(c, c.api("GET", "/api/v1/sessions" + page),
                list_of(c,
                        {{"id", "ID"},
                         {"name", "NAME", 40},
                         {"owner", "OWNER"},
                         {"address", "ADDRESS"},
                         {"last_used_at", "LAST USED"},
                         {"expires_at", "EXPIRES"},
                         {"user_agent", "USER AGENT", 40}},
                        "Nobody is logged in"));
}

int end_session(const Context& c) {
  const Options& o = c.options;
  if (o.name.empty() == o.user.empty()) {
    return c.fail_with(kUsage, "name one session, or one user",
                       "sallyport session end ID, or: session end --user NAME");
  }
  const bool all = o.name.empty();
  const std::string path =
      all ? "/api/v1/users/" + url_encode(o.user) + "/sessions" : "/api/v1/sessions/" + url_encode(o.name);
  return finish(c, c.api("DELETE", path), [&](json::Value) {
    return all ? "ended every session of " + printable(o.user) + "\n" : "ended " + printable(o.name) + "\n";
  });
}

}  // namespace

int run_session(const Context& c) { return c.options.command == "session list" ? list_sessions(c) : end_session(c); }

}  // namespace sallyport::cli
