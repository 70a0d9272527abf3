// The keys of a home at the start. Read before the database, made or changed only after it has said what it was written
// under: a keyring that is gone is never replaced by a new one, which would open nothing.
#include "app/keys.h"

#include <chrono>
#include <latch>

#include "app/key_keep.h"
#include "app/metric_text.h"
#include "app/rules.h"
#include "app/worker_unit.h"
#include "control/secrets/transit_key.h"

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

Result<control::VaultServerRules> transit_server_of(const config::Settings& settings,
                                                    const config::Environment& environment) {
  const auto& wanted = settings.encryption.transit;
  control::VaultServerRules rules;
  rules.url = wanted.url;
  rules.token = [token = wanted.token, home = settings.home, environment] {
    return config::resolve_reference(token, home, environment);
  };
  if (const auto token = rules.token(); !token) return fail(token.error());
  rules.space = wanted.space;
  rules.ca_file = wanted.ca;
  rules.allow_private = wanted.allow_private;
  return rules;
}

Result<crypto::UnsealSource> unseal_source_of(const config::Settings& settings, const config::Environment& environment,
                                              const Waiting& waiting, std::stop_token ending) {
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
  } else if (!wanted.transit.url.empty()) {
    static const SystemClock clock;
    source.kind = crypto::UnsealKind::transit;
    control::TransitRules rules{.server = {}, .mount = wanted.transit.mount, .key = wanted.transit.key};
    SP_TRY(rules.server, transit_server_of(settings, environment));
    if (waiting) rules.wait = wanted.transit.wait;
    rules.ending = std::move(ending);
    source.remote = std::make_shared<control::TransitKey>(clock, std::move(rules), waiting);
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

App::KeyKeep::KeyKeep(App& app)
    : app_(app), passes_(app.control_io_.get_executor(), [this](const char* what) {
        app_.log_.error("key-encryption keys not maintained", {{"why", what}});
      }) {}

// Who serves waits for a server that unseals; who only gives one order is told at once.
Result<crypto::UnsealSource> App::KeyKeep::source_at_start() {
  const auto& options = app_.options_;
  const Waiting waiting = [this](std::string_view why) {
    app_.log_.warning("waiting for what opens the keyring", {{"why", why}});
  };
  return unseal_source_of(options.settings, options.environment, options.listen ? waiting : nullptr,
                          ending_.get_token());
}

// Without a keyring: a home from before keyrings, or a new one.
Result<void> App::KeyKeep::open() {
  const auto& options = app_.options_;
  SP_TRY(const auto source, source_at_start());
  auto ring = crypto::Keyring::open(options.settings.home, source);
  if (ring) {
    ring_.emplace(std::move(*ring));
    return {};
  }
  if (ring.error().code != Code::not_found) return fail(std::move(ring).error());
  auto old = crypto::KeyStore::open(options.settings.home);
  if (old) {
    app_.keys_.emplace(std::move(*old));
    return {};
  }
  if (old.error().code != Code::not_found) return fail(std::move(old).error());
  if (options.create) return {};
  return fail(Code::not_found, old.error().detail + "; fix: restore the folder keys/ from a backup");
}

Result<void> App::KeyKeep::settle() {
  SP_TRY(const auto source, source_at_start());
  if (!ring_) SP_CHECK(found(source));
  SP_CHECK(ring_->tidy());
  SP_TRY(auto store, ring_->store());
  app_.keys_.emplace(std::move(store));
  SP_TRY(const bool same_root, same_as_kept(*app_.repository_, kFingerprint, app_.keys_->fingerprint()));
  SP_TRY(const bool same_ring, same_as_kept(*app_.repository_, kKeyring, ring_->id()));
  if (!same_root || !same_ring) {
    return fail(Code::config,
                "the database was written under another keyring than keys/keyring; fix: restore the folder "
                "keys/ and the database of one backup");
  }
  // The settings name something stronger than the key file beside the data: it is what opens the keyring from now on.
  if (ring_->opened_by() != source.kind) {
    SP_TRY(const std::string left, ring_->reseal(source, app_.random_));
    note_ = "opened by " + std::string(crypto::unseal_name(source.kind)) + " from now on, no more by a key file";
    if (!left.empty()) note_ += "; " + left;
  }
  return {};
}

// The first keyring of this home: with the root that it had before keyrings, if it did.
Result<void> App::KeyKeep::found(const crypto::UnsealSource& source) {
  const std::string& home = app_.options_.settings.home;
  SP_TRY(const auto known_ring, app_.repository_->get_meta(kKeyring));
  SP_TRY(const auto known_root, app_.repository_->get_meta(kFingerprint));
  if (known_ring) return gone("keys/keyring");
  if (known_root && !app_.keys_) return gone("keys/master.key");
  if (known_root && *known_root != app_.keys_->fingerprint()) {
    return fail(Code::config,
                "the database was written under another master key than keys/master.key; restore that key file");
  }
  std::optional<Secret> root;
  if (app_.keys_) {
    SP_TRY(root, crypto::root_of_old_home(home));
  }
  SP_TRY(ring_, crypto::Keyring::create(home, source, std::move(root), app_.random_, app_.clock_.wall()));
  note_ = "made; opened by " + std::string(crypto::unseal_name(ring_->opened_by()));
  return {};
}

void App::KeyKeep::open_desk() {
  const auto& settings = app_.options_.settings;
  control::KeyDeskRules rules;
  rules.home = settings.home;
  rules.enabled = settings.encryption.enabled;
  rules.rotate_after = std::chrono::days(settings.encryption.rotate_days);
  rules.source = [this] {
    return unseal_source_of(app_.options_.settings, app_.options_.environment, nullptr, ending_.get_token());
  };
  desk_.emplace(*app_.keys_, std::move(*ring_), *app_.repository_, app_.random_, app_.clock_, std::move(rules));
  ring_.reset();
  app_.note("open_keyring", "keyring", note_);
}

// Its token lives as long as the gateway does, for the next unsealing, change of source and start.
Result<void> App::KeyKeep::keep_token() {
  const auto& options = app_.options_;
  if (!options.listen || options.settings.encryption.transit.url.empty()) return {};
  SP_TRY(const auto rules, transit_server_of(options.settings, options.environment));
  const auto report = [this](std::string_view why) {
    app_.log_.warning("the token of encryption.transit_token", {{"why", why}});
  };
  SP_TRY(server_, control::VaultServer::make(app_.control_io_.get_executor(), app_.clock_, rules, report));
  asio::post(app_.control_io_, [this] { server_->keep_token(); });
  return {};
}

void App::KeyKeep::stop() {
  give_up();
  if (desk_) desk_->stop();
  const auto end = [](KeyKeep& keep) -> Task<void> {
    keep.passes_.cancel();  // between two transactions; the next start goes on
    co_await keep.passes_.join();
    if (keep.server_) co_await keep.server_->stop();
  };
  std::latch ended(1);
  asio::co_spawn(app_.control_io_, end(*this), [&ended](const std::exception_ptr&) { ended.count_down(); });
  ended.wait();
}

void App::KeyKeep::tick() {
  if (!ending_.stop_requested() && passes_.size() == 0) passes_.spawn(maintain());
}

Task<void> App::KeyKeep::maintain() {
  const auto done = co_await desk_->maintain();
  if (!done) app_.log_.error("key-encryption keys not maintained", {{"why", done.error().detail}});
  else app_.note("rotate_wrapping_key", "keyring", *done);
  for (std::string& what : desk_->damage_to_tell()) app_.note("find_damage", "vault", std::move(what), true, true);
  measure();
}

void App::KeyKeep::measure() {
  const auto seconds = [](WallTime time) {
    const bool known = time != WallTime{} && time != WallTime::max();
    return known ? std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count() : 0;
  };
  wrapping_due_ = seconds(desk_->status().rotates_at.value_or(WallTime{}));
  hash_due_ = seconds(app_.control_->hash_keys().rotates_at());
  const auto tokens = app_.control_->snapshot()->token_keys;
  const auto* const signer = tokens ? tokens->signer() : nullptr;
  token_due_ = signer == nullptr ? 0 : seconds(signer->rotates_at);
}

std::string App::KeyKeep::metrics() const {
  constexpr std::string_view kDue = "sallyport_key_rotation_due_timestamp_seconds";
  std::string out;
  add_metric(out, kDue, "When the key in force is to be replaced by another, in Unix time.", "gauge");
  using Row = std::pair<std::string_view, std::int64_t>;
  for (const auto& [which, due] : {Row{"wrapping", wrapping_due_}, Row{"hash", hash_due_}, Row{"token", token_due_}}) {
    if (due == 0) continue;
    out.append(kDue).append("{key=\"").append(which).append("\"} ").append(std::to_string(due)).append("\n");
  }
  return out;
}

}  // namespace sallyport::app
