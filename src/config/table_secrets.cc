// The part of the table for the vault's secrets and the key exchange.
#include "config/add_row.h"

namespace sallyport::config {

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
           "Absolute folder of ${dir:NAME}: one file a secret, as Kubernetes and Docker mount them.",
           SP_INTO(secrets.folder));
}

}  // namespace sallyport::config
