// The keys of a home at the start. Read before the database, made or changed only after it has said what it was written
// under: a keyring that is gone is never replaced by a new one, which would open nothing.
#include "app/keys.h"

#include <chrono>

#include "app/rules.h"
#include "app/worker_unit.h"

namespace sallyport::app {
namespace {

constexpr std::string_view kFingerprint = "key_fingerprint";
constexpr std::string_view kKeyring = "keyring";

std::unexpected<Error> gone(std::string_view what) {
  return fail(Code::config, "the database knows keys that are not there any more: " + std::string(what) +
                                " is gone; fix: restore the folder keys/ from a backup (without it, stored keys and "
                                "credentials are lost)");
}

// Keeps `value`, or compares it with what was kept.
Result<bool> same_as_kept(control::Repository& repository, std::string_view name, const std::string& value) {
  SP_TRY(const auto known, repository.get_meta(name));
  if (known) return *known == value;
  SP_CHECK(repository.put_meta(name, value));
  return true;
}

}  // namespace

Result<crypto::UnsealSource> unseal_source_of(const config::Settings& settings,
                                              const config::Environment& environment) {
  const auto& wanted = settings.encryption;
  const auto read = [&](const std::string& reference) {
    return config::resolve_reference(reference, settings.home, environment);
  };
  crypto::UnsealSource source;
  if (!wanted.password.empty()) {
    source.kind = crypto::UnsealKind::password;
    SP_TRY(source.secret, read(wanted.password));
  } else if (!wanted.key.empty()) {
    source.kind = crypto::UnsealKind::environment;
    SP_TRY(source.secret, read(wanted.key));
  } else if (!wanted.hsm_module.empty()) {
    source.kind = crypto::UnsealKind::hsm;
    source.hsm = {wanted.hsm_module, wanted.hsm_token, wanted.hsm_key};
    SP_TRY(source.secret, read(wanted.hsm_pin));
  }
  return source;
}

Result<crypto::KeyStore> read_keys(const config::Settings& settings, const config::Environment& environment) {
  SP_TRY(const auto source, unseal_source_of(settings, environment));
  auto ring = crypto::Keyring::open(settings.home, source);
  if (ring) return ring->store(true);
  if (ring.error().code != Code::not_found) return fail(std::move(ring).error());
  return crypto::KeyStore::open(settings.home);
}

// What is there is opened, nothing is made. Without a keyring: a home from before keyrings, or a new one.
Result<void> App::open_keys() {
  const auto& settings = options_.settings;
  SP_TRY(const auto source, unseal_source_of(settings, options_.environment));
  auto ring = crypto::Keyring::open(settings.home, source);
  if (ring) {
    keyring_.emplace(std::move(*ring));
    return {};
  }
  if (ring.error().code != Code::not_found) return fail(std::move(ring).error());
  auto old = crypto::KeyStore::open(settings.home);
  if (old) {
    keys_.emplace(std::move(*old));
    return {};
  }
  const bool may_be_made = old.error().code == Code::not_found && options_.create;
  return may_be_made ? Result<void>() : fail(std::move(old).error());
}

Result<void> App::settle_keys() {
  const auto& settings = options_.settings;
  SP_TRY(const auto source, unseal_source_of(settings, options_.environment));
  if (!keyring_) {
    SP_TRY(const auto known_ring, repository_->get_meta(kKeyring));
    SP_TRY(const auto known_root, repository_->get_meta(kFingerprint));
    if (known_ring) return gone("keys/keyring");
    if (known_root && !keys_) return gone("keys/master.key");
    if (known_root && *known_root != keys_->fingerprint()) {
      return fail(Code::config,
                  "the database was written under another master key than keys/master.key; restore that key file");
    }
    std::optional<Secret> root;
    if (keys_) {
      SP_TRY(root, crypto::root_of_old_home(settings.home));
    }
    SP_TRY(keyring_, crypto::Keyring::create(settings.home, source, std::move(root), random_, clock_.wall()));
    keyring_note_ = "made; opened by " + std::string(crypto::unseal_name(keyring_->opened_by()));
  }
  SP_CHECK(keyring_->tidy());
  SP_TRY(auto store, keyring_->store());
  keys_.emplace(std::move(store));
  SP_TRY(const bool same_root, same_as_kept(*repository_, kFingerprint, keys_->fingerprint()));
  SP_TRY(const bool same_ring, same_as_kept(*repository_, kKeyring, keyring_->id()));
  if (!same_root || !same_ring) {
    return fail(Code::config,
                "the database was written under another keyring than keys/keyring; fix: restore the folder "
                "keys/ and the database of one backup");
  }
  // The settings name something stronger than the key file beside the data: it is what opens the keyring from now on.
  if (keyring_->opened_by() != source.kind) {
    SP_CHECK(keyring_->reseal(source, random_));
    keyring_note_ =
        "opened by " + std::string(crypto::unseal_name(source.kind)) + " from now on, no more by a key file";
  }
  return {};
}

void App::open_key_desk() {
  const auto& settings = options_.settings;
  control::KeyDeskRules rules;
  rules.home = settings.home;
  rules.enabled = settings.encryption.enabled;
  rules.rotate_after = std::chrono::days(settings.encryption.rotate_days);
  rules.source = [this] { return unseal_source_of(options_.settings, options_.environment); };
  key_desk_.emplace(*keys_, std::move(*keyring_), *repository_, random_, clock_, std::move(rules));
  keyring_.reset();
  note("open_keyring", "keyring", keyring_note_);
}

Task<void> App::check_wrapping_keys() {
  const auto done = co_await key_desk_->maintain();
  if (!done) log_.error("key-encryption keys not maintained", {{"why", done.error().detail}});
  else note("rotate_wrapping_key", "keyring", *done);
}

}  // namespace sallyport::app
