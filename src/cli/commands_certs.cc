// sallyport certs: the built-in certificate authority, by the REST API's /certificates.
#include <algorithm>
#include <ostream>

#include "cli/ask_secret.h"
#include "cli/context.h"
#include "cli/private_file.h"
#include "core/encoding.h"
#include "json/canonical.h"

namespace sallyport::cli {
namespace {

constexpr std::string_view kPath = "/api/v1/certificates";

std::string line_of(json::Value one) {
  return printable(cell_text(one, "kind")) + " " + printable(cell_text(one, "name")) + ", serial " +
         printable(cell_text(one, "serial")) + ", until " + printable(cell_text(one, "not_after")) + "\n";
}

int init(const Context& c) {
  json::Writer w;
  w.object();
  write_names(w, "hosts", c.options.hosts);
  if (!c.options.key_type.empty()) w.member("key_type", c.options.key_type);
  w.end_object();
  return finish(c, c.api("POST", std::string(kPath) + "/authority", w.text()), [&](json::Value one) {
    return line_of(one) + "Its files lie in " + c.options.home +
           "/certs. Clients must come to trust the authority: sallyport certs trust\n";
  });
}

// Of the PKCS #12 file.
Result<void> write_password(const Context& c, json::Writer& w) {
  SP_TRY(const Secret password, ask_secret(c, "Password of " + c.options.pkcs12, Asking::twice));
  if (password.size() < 8) return fail(Code::validation, "stdin must hold a password of at least 8 bytes for --p12");
  return write_secret(w, "password", password);
}

std::string from_base64(std::string_view text) {
  std::string url(text.substr(0, text.find('=')));
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  const auto bytes = base64url_decode(url);
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

// Member of the answer -> the file that gets it.
using Outputs = std::vector<std::pair<std::string_view, NewFile>>;

Result<Outputs> open_outputs(const Options& o, bool with_key) {
  Outputs out;
  const auto add = [&](std::string_view member, const std::string& path, bool is_private) -> Result<void> {
    SP_TRY(NewFile file, NewFile::open(path, is_private));
    out.emplace_back(member, std::move(file));
    return {};
  };
  if (!o.output.empty()) {
    SP_CHECK(add("certificate", o.output + ".crt", false));
    SP_CHECK(add("authority", o.output + "-ca.crt", false));
    if (with_key) SP_CHECK(add("private_key", o.output + ".key", true));
  }
  if (!o.pkcs12.empty()) SP_CHECK(add("pkcs12", o.pkcs12, true));
  return out;
}

Result<void> write_out(Outputs& outputs, json::Value one) {
  for (auto& [member, file] : outputs) {
    const auto text = one.string_at(member);
    if (!text) continue;  // the key of the gateway's own certificate stays where it is
    std::string bytes = member == "pkcs12" ? from_base64(*text) : std::string(*text);
    const auto written = file.write(bytes);
    wipe(bytes);
    if (!written) return written;
  }
  return {};
}

int say_files(const Context& c, const Outputs& outputs, json::Value one) {
  json::Writer w;
  w.object().member("serial", one.string_at("serial").value_or("")).key("files").array();
  std::string text = line_of(one);
  for (const auto& [member, file] : outputs) {
    if (!one.string_at(member)) continue;
    w.value(file.path());
    text += "wrote " + file.path() + "\n";
  }
  w.end_array().end_object();
  c.io.out << (c.options.json ? json::pretty(w.text()) + "\n" : text);
  return kOk;
}

// What the API handed out: to files, or to the screen.
int hand_out(const Context& c, const Result<ApiAnswer>& answer, Outputs outputs) {
  if (!answer || answer->status / 100 != 2 || outputs.empty()) {
    return finish(c, answer, [](json::Value one) {
      const bool ours = !one.find("private_key");
      std::string out = line_of(one) + (ours ? "" : "The key below is not shown again.\n");
      for (const char* part : {"certificate", "private_key"}) out += one.string_at(part).value_or("");
      return out;
    });
  }
  const auto read = json::read(answer->body);
  if (!read) return c.fail_with(kFailure, "the gateway's answer cannot be read");
  if (const auto written = write_out(outputs, read->root()); !written) {
    return c.fail_with(
        kFailure, written.error().detail,
        "issue it again to another place, and revoke this one: " + printable(cell_text(read->root(), "serial")));
  }
  return say_files(c, outputs, read->root());
}

int issue(const Context& c) {
  const Options& o = c.options;
  auto outputs = open_outputs(o, true);
  if (!outputs) return c.fail_with(kFailure, outputs.error().detail);
  json::Writer w;
  w.object().member("kind", o.kind).member("name", o.name);
  if (!o.user.empty()) w.member("user", o.user);
  write_names(w, "hosts", o.hosts);
  write_names(w, "uris", o.uris);
  write_names(w, "emails", o.emails);
  if (o.days) w.member("days", *o.days);
  if (!o.key_type.empty()) w.member("key_type", o.key_type);
  if (!o.pkcs12.empty()) {
    const auto written = write_password(c, w);
    if (!written) return c.fail_with(kUsage, written.error().detail);
  }
  w.end_object();
  std::string body = w.take();
  auto answer = c.api("POST", std::string(kPath), body);
  wipe(body);
  const int code = hand_out(c, answer, std::move(*outputs));
  if (answer) wipe(answer->body);
  return code;
}

int renew(const Context& c) {
  const std::string which = c.options.name.empty() ? "server" : c.options.name;
  auto outputs = open_outputs(c.options, which != "server" && which != "ca");
  if (!outputs) return c.fail_with(kFailure, outputs.error().detail);
  auto answer = c.api("POST", std::string(kPath) + "/" + url_encode(which) + "/renew",
                      c.options.revoke_old ? R"({"revoke_old":true})" : "{}");
  const int code = hand_out(c, answer, std::move(*outputs));
  if (answer) wipe(answer->body);
  return code;
}

int revoke(const Context& c) {
  json::Writer w;
  w.object();
  if (!c.options.reason.empty()) w.member("reason", c.options.reason);
  w.end_object();
  return finish(c, c.api("POST", std::string(kPath) + "/" + url_encode(c.options.name) + "/revoke", w.text()),
                [&](json::Value one) { return "revoked " + line_of(one); });
}

int list(const Context& c) {
  return finish(c, c.api("GET", std::string(kPath) + page(c.options)),
                list_of(c,
                        {{"serial", "SERIAL", 32},
                         {"kind", "KIND"},
                         {"name", "NAME", 40},
                         {"alt_names", "NAMES", 60},
                         {"status", "STATUS"},
                         {"ends_soon", "ENDS SOON"},
                         {"in_use", "IN USE"},
                         {"not_after", "UNTIL"},
                         {"renews_at", "RENEWS"}},
                        "Nothing was issued; begin with: sallyport certs init --host NAME"));
}

std::string how_to_trust(const std::string& file, json::Value one) {
  const std::string url = "https://" + std::string("GATEWAY");
  std::string out;
  out +=
      "Authority    " + printable(cell_text(one, "name")) + ", until " + printable(cell_text(one, "not_after")) + "\n";
  out += "SHA-256      " + printable(cell_text(one, "fingerprint_sha256")) + "\n";
  out += "Certificate  " + file + "\n\n";
  out += "Compare the SHA-256 where the file arrives: openssl x509 -in FILE -noout -fingerprint -sha256\n\n";
  out += "curl       curl --cacert " + file + " " + url + "/health\n";
  out += "Node       NODE_EXTRA_CA_CERTS=" + file + " node ...   (also npx, and clients written in JavaScript)\n";
  out += "Python     SSL_CERT_FILE=" + file +
         " python3 ...   (this file alone is trusted then); requests: REQUESTS_CA_BUNDLE\n";
  out += "Go         SSL_CERT_FILE=" + file + " ...\n";
  out += "Debian     cp " + file +
         " /usr/local/share/ca-certificates/sallyport.crt && update-ca-certificates   (as root)\n";
  out += "Firefox    Settings, Certificates, View Certificates, Authorities, Import\n";
  out += "Chromium   Settings, Security, Manage certificates, Authorities, Import   (on Linux: certutil -d "
         "sql:$HOME/.pki/nssdb "
         "-A -t C,, -n sallyport -i " +
         file + ")\n";
  return out;
}

int trust(const Context& c) {
  std::optional<NewFile> out;
  if (!c.options.output.empty()) {
    auto opened = NewFile::open(c.options.output, false);
    if (!opened) return c.fail_with(kFailure, opened.error().detail);
    out.emplace(std::move(*opened));
  }
  const auto answer = c.api("GET", std::string(kPath) + "/authority");
  const std::string file = out ? c.options.output : c.options.home + "/certs/ca.crt";
  if (answer && answer->status == 200 && out) {
    const auto read = json::read(answer->body);
    if (!read) return c.fail_with(kFailure, "the gateway's answer cannot be read");
    const auto written = out->write(read->root().string_at("certificate").value_or(""));
    if (!written) return c.fail_with(kFailure, written.error().detail);
  }
  return finish(c, answer, [&](json::Value one) { return how_to_trust(file, one); });
}

}  // namespace

int run_certs(const Context& c) {
  const std::string_view what = std::string_view(c.options.command).substr(6);
  if (what == "init") return init(c);
  if (what == "issue") return issue(c);
  if (what == "renew") return renew(c);
  if (what == "revoke") return revoke(c);
  if (what == "trust") return trust(c);
  if (what == "show") return finish(c, c.api("GET", std::string(kPath) + "/" + url_encode(c.options.name)), details(c));
  return list(c);
}

}  // namespace sallyport::cli
