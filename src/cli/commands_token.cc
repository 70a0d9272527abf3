#include <iomanip>
#include <istream>

#include "cli/context.h"
#include "core/secret.h"

namespace sallyport::cli {
namespace {

constexpr std::size_t kTokenBytesMax = 8192;

// From stdin alone: what stands on a command line stands in the process list and in the shell's history.
std::string read_token(std::istream& in) {
  std::string text;
  std::string word;
  while (text.size() <= kTokenBytesMax && in >> std::setw(kTokenBytesMax + 1) >> word)
    text = text.empty() ? word : text + " " + word;
  for (const std::string_view prefix : {"Authorization: ", "Bearer ", "bearer "}) {
    if (text.starts_with(prefix)) text.erase(0, prefix.size());
  }
  return text;
}

int inspect(const Context& c) {
  std::string token = read_token(c.io.in);
  if (token.empty() || token.size() > kTokenBytesMax || token.find(' ') != std::string::npos) {
    return c.fail_with(kUsage, "stdin must hold one token of at most 8 KiB", "sallyport token inspect < token.txt");
  }
  json::Writer w;
  w.object().member("token", token).end_object();
  std::string body = w.take();
  wipe(token);
  const int code = finish(c, c.api("POST", "/api/v1/tokens/inspect", body), details(c));
  wipe(body);
  return code;
}

int rotate(const Context& c) {
  const bool revoke = c.options.revoke_old;
  return finish(c, c.api("POST", "/api/v1/token-keys/rotate", revoke ? R"({"revoke_old":true})" : "{}"),
                [&](json::Value root) {
                  return "key " + printable(cell_text(root, "id")) + " signs from now on; " +
                         (revoke ? "tokens of the former keys are refused\n"
                                 : "the former key verifies until its last token has expired\n");
                });
}

}  // namespace

int run_token(const Context& c) {
  const std::string what = c.options.command.substr(6);
  if (what == "inspect") return inspect(c);
  if (what == "rotate") return rotate(c);
  if (what == "revoke") {
    return finish(c, c.api("DELETE", "/api/v1/tokens/" + url_encode(c.options.name)),
                  [&](json::Value) { return "revoked " + printable(c.options.name) + "\n"; });
  }
  const std::string page =
      query({{"limit", std::to_string(c.options.limit)}, {"offset", std::to_string(c.options.offset)}});
  return finish(c, c.api("GET", "/api/v1/token-keys" + page),
                list_of(c,
                        {{"id", "KEY", 50},
                         {"algorithm", "ALGORITHM"},
                         {"status", "STATUS"},
                         {"source", "SOURCE"},
                         {"created_at", "CREATED"},
                         {"rotates_at", "ROTATES"},
                         {"verifies_until", "VERIFIES UNTIL"}},
                        "No token keys"));
}

}  // namespace sallyport::cli
