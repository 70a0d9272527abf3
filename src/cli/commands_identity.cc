// Client certificates and whom they stand for.
#include <fstream>
#include <sstream>

#include "cli/context.h"

namespace sallyport::cli {
namespace {

constexpr std::string_view kBase = "/api/v1/client-certificates";

std::optional<std::string> text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return std::nullopt;
  return text.str();
}

// Adds the PEM text of the file at `path` as member `name`. 0, or the exit code where there is none to be sent.
int add_pem(const Context& c, json::Writer& w, std::string_view name, const std::string& path) {
  if (path.empty()) return 0;
  const auto pem = text_of(path);
  if (!pem) return c.fail_with(kNotFound, "cannot read " + printable(path, 100), "name a PEM file");
  if (pem->find("PRIVATE KEY-----") != std::string::npos)
    return c.fail_with(kUsage, "the file holds a private key", "name a file with the certificate alone");
  w.member(name, *pem);
  return 0;
}

int add(const Context& c) {
  const Options& o = c.options;
  if (o.name.empty() == o.client_certificate.empty())
    return c.fail_with(kUsage, "give either NAME or --certificate FILE",
                       "sallyport identity add uri:spiffe://example/agent --user ada");
  if (o.user.empty() == o.key_id.empty())
    return c.fail_with(kUsage, "give either --user or --key",
                       "sallyport identity add --certificate ada.pem --user ada");
  json::Writer w;
  w.object();
  if (!o.name.empty()) w.member("name", o.name);
  if (const int failed = add_pem(c, w, "certificate", o.client_certificate); failed != 0) return failed;
  if (const int failed = add_pem(c, w, "issuer", o.issuer); failed != 0) return failed;
  if (!o.user.empty()) w.member("user", o.user);
  if (!o.key_id.empty()) w.member("key", o.key_id);
  write_names(w, "including", o.including);
  w.end_object();
  return finish(c, c.api("POST", std::string(kBase), w.take()), details(c));
}

}  // namespace

int run_identity(const Context& c) {
  const std::string_view what = std::string_view(c.options.command).substr(9);
  if (what == "add") return add(c);
  if (what == "remove") {
    return finish(c, c.api("DELETE", std::string(kBase) + "/" + url_encode(c.options.name)),
                  [&](json::Value) { return "removed " + printable(c.options.name) + "\n"; });
  }
  return finish(c, c.api("GET", std::string(kBase) + page(c.options)),
                list_of(c,
                        {{"id", "ID"},
                         {"name", "NAME", 80},
                         {"principal", "PRINCIPAL", 30},
                         {"principal_name", "WHO", 40},
                         {"issuer", "ISSUER", 64}},
                        "No client certificate stands for anybody"));
}

}  // namespace sallyport::cli
