// The part of the table for the vault's secrets and the key exchange.
#include <algorithm>

#include "config/add_row.h"

namespace sallyport::config {

namespace {

// Tokens and values go this way: in the clear to this machine alone.
std::string check_store_url(std::string_view text) {
  if (std::string why = check_http_url(text); !why.empty() || !text.starts_with("http://")) return why;
  std::string_view host = text.substr(7, text.find_first_of("/?", 7) - 7);
  host = host.substr(0, host.find(':', host.starts_with('[') ? host.find(']') : 0));
  const bool here = host == "localhost" || host == "[::1]" || is_loopback_address(host);
  return here ? "" : "is not encrypted; fix: write https://";
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

// They become parts of a URL's path.
std::string check_vault_name(std::string_view text) {
  const bool dots = !text.empty() && text.find_first_not_of('.') == std::string_view::npos;
  return !dots && std::ranges::all_of(text, is_plain) ? "" : "is no name; fix: letters, digits, '_', '-' and '.'";
}

std::string check_vault_path(std::string_view text) {
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('/', at), text.size());
    if (end == at) return "has an empty part; fix: write it without slashes at its ends, such as transit";
    if (std::string why = check_vault_name(text.substr(at, end - at)); !why.empty()) return why;
    at = end + 1;
  }
  return "";
}

void add_remote(Add<Settings> add) {
  add.integer("vault.kept_seconds", 300, {1, 86'400, "seconds"},
              "So long a value of ${kv:...} or ${aws:...} is given again; it is asked for anew when three quarters are "
              "over.",
              SP_INTO(secrets.kept_seconds));
  add.text("vault.kv.url", "", {0, 2000, check_store_url},
           "Address of a HashiCorp Vault or OpenBao whose KV version 2 answers ${kv:MOUNT/PATH#FIELD}; empty: none.",
           SP_INTO(secrets.kv.url));
  add.secret("vault.kv.token", "Its token; renewed at half of its life where it can be.", SP_INTO(secrets.kv.token));
  add.text("vault.kv.namespace", "", {0, 255, nullptr}, "Its namespace (X-Vault-Namespace); empty: none.",
           SP_INTO(secrets.kv.space));
  add.text("vault.kv.ca", "", {0, 4096, nullptr},
           "File of the authorities (PEM) that its certificate must come from; relative to the home; empty: the "
           "system's.",
           SP_INTO(secrets.kv.ca));
  add.flag("vault.kv.allow_private", false, "Let it live at a loopback or private address.",
           SP_INTO(secrets.kv.allow_private));
  add.text("vault.aws.region", "", {0, 32, nullptr},
           "Region of the AWS Secrets Manager that answers ${aws:NAME#FIELD} (S4-17); empty: none.",
           SP_INTO(secrets.aws.region));
  add.text("vault.aws.endpoint", "", {0, 2000, check_store_url}, "Another address than AWS's own for that region.",
           SP_INTO(secrets.aws.endpoint));
  add.text("vault.aws.access_key_id", "", {0, 128, nullptr}, "Id of the access key that signs the questions.",
           SP_INTO(secrets.aws.access_key_id))
      .env({{"AWS_ACCESS_KEY_ID"}});
  add.secret("vault.aws.secret_access_key", "The access key's secret.", SP_INTO(secrets.aws.secret_access_key))
      .env({{"AWS_SECRET_ACCESS_KEY"}});
  add.secret("vault.aws.session_token", "Session token of temporary credentials; empty: none.",
             SP_INTO(secrets.aws.session_token))
      .env({{"AWS_SESSION_TOKEN"}});
  add.text("vault.aws.ca", "", {0, 4096, nullptr},
           "File of the authorities (PEM) that the endpoint's certificate must come from; relative to the home; empty: "
           "the system's.",
           SP_INTO(secrets.aws.ca));
  add.flag("vault.aws.allow_private", false, "Let the endpoint live at a loopback or private address.",
           SP_INTO(secrets.aws.allow_private));
}

}  // namespace

void add_transit(Add<Settings> add) {
  add.text(
      "encryption.transit_url", "", {0, 2000, check_store_url},
      "Address of a HashiCorp Vault or OpenBao whose transit engine wraps what opens keys/keyring, in place of the "
      "key file (S2-14); empty: none.",
      SP_INTO(encryption.transit.url));
  add.text("encryption.transit_mount", "transit", {1, 255, check_vault_path}, "Where the engine is mounted.",
           SP_INTO(encryption.transit.mount));
  add.text("encryption.transit_key", "", {0, 128, check_vault_name},
           "Name of its key: one for authenticated encryption, such as aes256-gcm96.", SP_INTO(encryption.transit.key));
  add.secret("encryption.transit_token",
             "Token that may update encrypt/KEY and decrypt/KEY of the mount; renewed at half of its life where it can "
             "be.",
             SP_INTO(encryption.transit.token));
  add.text("encryption.transit_namespace", "", {0, 255, nullptr}, "Its namespace (X-Vault-Namespace); empty: none.",
           SP_INTO(encryption.transit.space));
  add.text("encryption.transit_ca", "", {0, 4096, nullptr},
           "File of the authorities (PEM) that its certificate must come from; relative to the home; empty: the "
           "system's.",
           SP_INTO(encryption.transit.ca));
  add.flag("encryption.transit_allow_private", false, "Let it live at a loopback or private address.",
           SP_INTO(encryption.transit.allow_private));
  add.integer("encryption.transit_wait_seconds", 30, {0, 3600, "seconds"},
              "So long a start tries again while that server is away or sealed; then it is refused.",
              SP_INTO(encryption.transit.wait));
}

void add_secrets(Add<Settings> add) {
  add.integer("vault.secrets", 10'000, {1, 100'000, "secrets"}, "Secrets that the vault holds in all.",
              SP_INTO(secrets.secrets));
  add.integer("vault.secrets_per_owner", 64, {1, 10'000, "secrets"}, "Secrets of its own that a person or a key has.",
              SP_INTO(secrets.per_owner));
  add.integer("vault.versions", 10, {1, 1000, "versions"},
              "Versions kept of a secret, the one in force included; the oldest beyond it is destroyed.",
              SP_INTO(secrets.versions));
  add.choice("vault.exchange_key_bits", "3072", {"2048", "3072", "4096"},
             "Size of the RSA key that clients seal secrets to (S2-9); for the next one that is made.",
             [](Settings& s, const Value& v) {
               s.secrets.exchange_key_bits = static_cast<std::uint32_t>(std::stoul(std::get<std::string>(v)));
             });
  add.integer("vault.exchange_key_days", 365, {1, 3650, "days"}, "Age at which that key is replaced.",
              SP_INTO(secrets.exchange_key_days));
  add.integer("vault.exchange_grace_days", 7, {0, 365, "days"},
              "So long the key before it still opens what was sealed to it.", SP_INTO(secrets.exchange_grace_days));
  add.text("vault.folder", "/run/secrets", {1, 4096, nullptr},
           "Folder of ${dir:NAME}: one file a secret, as Kubernetes and Docker mount them; relative to the home.",
           SP_INTO(secrets.folder));
  add_remote(add);
}

}  // namespace sallyport::config
