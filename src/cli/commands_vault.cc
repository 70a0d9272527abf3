// The vault. A value comes from stdin or from a file and goes to stdout; never through an argument, which every process sees.
#include <algorithm>
#include <fstream>
#include <istream>
#include <iterator>
#include <ostream>

#include "cli/ask_secret.h"
#include "cli/context.h"
#include "core/encoding.h"

namespace sallyport::cli {
namespace {

constexpr std::string_view kSecrets = "/api/v1/vault/secrets";
constexpr std::size_t kValueMax = (64U << 10) + 2;
constexpr int kGeneratedBytes = 32;

std::string path_of(const Context& c, std::string_view action = "") {
  return std::string(kSecrets) + "/" + url_encode(c.options.name) + std::string(action) +
         query({{"owner", c.options.owner}});
}

Result<Secret> read_all(std::istream& in, const std::string& where) {
  std::string text(kValueMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return fail(Code::io, where + " cannot be read");
  if (text.size() > kValueMax) return fail(Code::validation, where + " holds more than 64 KiB");
  // Of a text the end of its last line (LF, CR LF) belongs to the file; of other bytes every one is the value's.
  if (is_utf8(text) && text.ends_with('\n')) text.resize(text.size() - (text.ends_with("\r\n") ? 2 : 1));
  if (text.empty()) return fail(Code::validation, where + " is empty");
  return Secret(std::move(text));
}

Result<Secret> read_value(const Context& c) {
  if (!c.options.from.empty()) {
    std::ifstream file(c.options.from, std::ios::binary);
    if (!file) return fail(Code::io, c.options.from + " cannot be opened");
    return read_all(file, c.options.from);
  }
  if (c.io.interactive)
    return fail(Code::validation, "the value comes from stdin, from --file, or --generate makes it");
  return read_all(c.io.in, "stdin");
}

// Sealed here, to the key that the gateway publishes: what is sent is closed to whatever lies between.
Result<std::string> sealed(const Context& c, const Secret& value) {
  const auto answer = c.api("GET", "/api/v1/vault/exchange-key");
  if (!answer) return fail(answer.error());
  const auto body = json::read(answer->body);
  const auto pem = body ? body->root().string_at("public_key") : std::nullopt;
  if (answer->status != 200 || !pem)
    return fail(Code::io, "the gateway gives no exchange key: " + printable(answer->body, 300));
  const std::string subject = "vault:" + (c.options.owner.empty() ? "" : c.options.owner + "/") + c.options.name;
  return c.hooks.seal_envelope(std::string(*pem), subject, value);
}

Result<void> write_value(const Context& c, json::Writer& w) {
  if (c.options.no_value) return {};
  if (c.options.generate) {
    w.member("generate", kGeneratedBytes);
    return {};
  }
  SP_TRY(const Secret value, read_value(c));
  if (c.options.sealed) {
    SP_TRY(const std::string envelope, sealed(c, value));
    w.member("sealed", envelope);
  } else if (is_utf8(value.reveal())) {
    w.member("value", value.reveal());
  } else {
    w.member("value_base64url", base64url_encode(as_bytes(value.reveal())));
  }
  return {};
}

int put(const Context& c) {
  const Options& o = c.options;
  if (o.sealed && !o.owner.empty() && !o.owner.starts_with("key:")) {
    return c.fail_with(kUsage, "--sealed goes with the gateway's secrets and those of a key:ID");
  }
  json::Writer w;
  w.object();
  if (const auto written = write_value(c, w); !written) return c.fail_with(kUsage, written.error().detail);
  if (o.description) w.member("description", *o.description);
  if (!o.labels.empty()) write_names(w, "labels", o.labels);
  if (!o.expires_at.empty()) w.member("expires_at", o.expires_at);
  if (o.never_expires) w.key("expires_at").null();
  std::string body = w.end_object().take();
  const auto answer = c.api("PUT", path_of(c), body);
  wipe(body);
  return finish(c, answer, details(c));
}

// Whoever stored it may have meant the terminal of whoever reads it.
std::string for_terminal(const Context& c, std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const auto end = std::min(value.find('\n'), value.size());
    out += printable(value.substr(0, end), kValueMax) + "\n";
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  if (out.find("\uFFFD") != std::string::npos)
    c.io.err << "note: what a terminal acts on is shown as \uFFFD; the bytes as they are: add > FILE\n";
  return out;
}

// The bytes as they are, so that they can be piped; text with a newline at its end.
Render value_of(const Context& c) {
  return [&c](json::Value answer) {
    const auto text = answer.string_at("value");
    const auto bytes = base64url_decode(answer.string_at("value_base64url").value_or(""));
    const std::string_view value = text ? *text : bytes ? as_text(*bytes) : std::string_view();
    if (c.io.terminal) return for_terminal(c, value);
    return std::string(value) + (text ? "\n" : "");
  };
}

std::string version_body(const Context& c) {
  json::Writer w;
  w.object();
  if (c.options.number) w.member("version", *c.options.number);
  if (c.options.grace) w.member("expires_in", *c.options.grace);
  return w.end_object().take();
}

int take(const Context& c) {
  const auto token = c.io.interactive ? ask_secret(c, "Token", Asking::once) : read_all(c.io.in, "stdin");
  if (!token) return c.fail_with(kUsage, token.error().detail, "sallyport vault reveal < token.txt");
  json::Writer w;
  w.object();
  if (const auto written = write_secret(w, "token", *token); !written)
    return c.fail_with(kUsage, written.error().detail);
  w.end_object();
  return finish(c, c.server_api("POST", "/api/v1/vault/one-time", w.text()), value_of(c));
}

// The key in lines of its own, as programs read it.
std::string exchange_key(json::Value answer) {
  std::string out;
  for (const std::string name : {"kid", "alg", "enc", "bits", "created_at", "rotates_at"}) {
    out += name + ":" + std::string(12 - name.size(), ' ') + printable(cell_text(answer, name)) + "\n";
  }
  std::string_view pem = answer.string_at("public_key").value_or("");
  while (!pem.empty()) {
    const auto end = std::min(pem.find('\n'), pem.size());
    out += printable(pem.substr(0, end)) + "\n";
    pem.remove_prefix(std::min(end + 1, pem.size()));
  }
  return out;
}

int list_all(const Context& c) {
  const std::string path = std::string(kSecrets) + query({{"owner", c.options.owner},
                                                          {"limit", std::to_string(c.options.limit)},
                                                          {"offset", std::to_string(c.options.offset)}});
  return finish(c, c.api("GET", path),
                list_of(c,
                        {{"name", "NAME", 60},
                         {"owner", "OWNER", 30},
                         {"version", "VERSION"},
                         {"labels", "LABELS", 40},
                         {"expires_at", "EXPIRES"},
                         {"expired", "EXPIRED"},
                         {"last_used_at", "LAST USED"}},
                        "No secret; store one: sallyport vault put NAME < FILE"));
}

}  // namespace

int run_vault(const Context& c) {
  const std::string_view what = std::string_view(c.options.command).substr(6);
  if (what == "keys" || what == "rotate" || what == "password") return run_vault_keys(c);
  if (what == "put") return put(c);
  if (what == "list") return list_all(c);
  if (what == "reveal") return take(c);
  if (what == "show") return finish(c, c.api("GET", path_of(c)), details(c));
  if (what == "get") return finish(c, c.api("POST", path_of(c, "/reveal"), version_body(c)), value_of(c));
  if (what == "offer") return finish(c, c.server_api("POST", path_of(c, "/one-time"), version_body(c)), details(c));
  if (what == "rollback") return finish(c, c.api("POST", path_of(c, "/rollback"), version_body(c)), details(c));
  if (what == "destroy") return finish(c, c.api("POST", path_of(c, "/destroy"), version_body(c)), details(c));
  if (what == "delete") {
    return finish(c, c.api("DELETE", path_of(c)),
                  [&](json::Value) { return "deleted " + printable(c.options.name) + "\n"; });
  }
  if (what == "exchange-key" && c.options.rotate) {
    return finish(c, c.api("POST", "/api/v1/vault/exchange-key/rotate", "{}"), exchange_key);
  }
  if (what == "exchange-key") return finish(c, c.api("GET", "/api/v1/vault/exchange-key"), exchange_key);
  if (what == "status") return finish(c, c.api("GET", "/api/v1/vault/status"), details(c));
  return finish(c, c.api("POST", "/api/v1/vault/" + std::string(what), "{}"), details(c));  // seal, unseal
}

}  // namespace sallyport::cli
