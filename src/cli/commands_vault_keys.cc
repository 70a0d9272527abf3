// The vault's keys: what opens them, how old they are, turning them.
#include <ostream>

#include "cli/ask_secret.h"
#include "cli/context.h"

namespace sallyport::cli {
namespace {

// What API keys are hashed under.
std::string render_hash_keys(json::Value hash_keys) {
  std::string out = "hash key of API keys rotates at: " + printable(cell_text(hash_keys, "rotates_at")) + "\n";
  for (const json::Value key : hash_keys.find("keys").value_or(json::Value()).elements()) {
    out += "hash key " + printable(cell_text(key, "id")) + ": " + printable(cell_text(key, "status")) + ", made " +
           printable(cell_text(key, "created_at")) + ", API keys: " + printable(cell_text(key, "api_keys")) + "\n";
  }
  return out;
}

std::string render_keys(json::Value root) {
  const bool sealed = cell_text(root, "sealed") == "true";
  std::string out = std::string("state: ") + (sealed ? "sealed" : "open") + "\n";
  out += "opened by: " + printable(cell_text(root, "source")) + "\n";
  const std::string hash_keys = render_hash_keys(root.find("hash_keys").value_or(json::Value()));
  if (sealed) return out + hash_keys;
  out += "rotates at: " + printable(cell_text(root, "rotates_at")) + "\n";
  for (const json::Value key : root.find("keys").value_or(json::Value()).elements()) {
    out += "key " + printable(cell_text(key, "id")) + ": " + printable(cell_text(key, "status")) + ", made " +
           printable(cell_text(key, "created_at")) + "\n";
  }
  for (const json::Value one : root.find("damaged").value_or(json::Value()).elements()) {
    out += "damaged: " + printable(one.as_string().value_or("")) +
           " (kept, with the key that it names; fix: put it anew, or destroy that version)\n";
  }
  return out + hash_keys;
}

// The settings have to say the same before the next start, or it is refused.
std::string what_to_set(std::string_view source) {
  if (source == "password") return "set encryption.password (SECURITY_VAULT_PASSWORD) to it before the next start";
  if (source == "environment") return "set encryption.key (ENCRYPTION_KEY) to it before the next start";
  if (source == "hsm") return "keep the encryption.hsm_* settings as they are";
  if (source == "transit") return "keep the encryption.transit_* settings as they are";
  return "take encryption.password, encryption.key, encryption.hsm_module and encryption.transit_url out before the "
         "next "
         "start";
}

int change_source(const Context& c) {
  const std::string source = c.options.from.empty() ? "password" : c.options.from;
  const bool asks = source == "password" || source == "environment";
  Result<Secret> secret = Secret();
  if (asks) secret = ask_secret(c, "New " + source, Asking::twice);
  if (!secret) return c.fail_with(kUsage, secret.error().detail);
  if (asks && secret->empty()) return c.fail_with(kUsage, "nothing on stdin", "give the secret as its first line");
  json::Writer w;
  w.object().member("source", source);
  const auto written = asks ? write_secret(w, "secret", *secret) : Result<void>();
  if (!written) return c.fail_with(kUsage, written.error().detail);
  std::string body = w.end_object().take();
  const int code = finish(c, c.api("PUT", "/api/v1/vault/keys/source", body), [&](json::Value root) {
    const std::string notice = cell_text(root, "notice");
    return "the keyring is opened by: " + source + "; " + what_to_set(source) + "\n" +
           (notice.empty() ? "" : "note: " + printable(notice, 1000) + "\n");
  });
  wipe(body);
  return code;
}

}  // namespace

int run_vault_keys(const Context& c) {
  const std::string_view what = std::string_view(c.options.command).substr(6);
  if (what == "password") return change_source(c);
  if (what == "rotate" && c.options.name == "api-keys") {
    return finish(c, c.api("POST", "/api/v1/vault/hash-keys/rotate"), [](json::Value root) {
      return "hash key " + printable(cell_text(root, "id")) + ": API keys go over as they are used\n";
    });
  }
  if (what == "rotate") {
    return finish(c, c.api("POST", "/api/v1/vault/keys/rotate"),
                  [](json::Value root) { return "key " + printable(cell_text(root, "id")) + " wraps from now on\n"; });
  }
  return finish(c, c.api("GET", "/api/v1/vault/keys"), render_keys);
}

}  // namespace sallyport::cli
