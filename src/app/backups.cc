#include "app/backups.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>

#include "app/keys.h"
#include "app/privileges.h"
#include "app/root_start.h"
#include "app/rules.h"
#include "control/backup/desk.h"
#include "control/policy_digest.h"
#include "control/vault.h"
#include "crypto/keyring.h"
#include "storage/database_copy.h"

namespace sallyport::app {
namespace {

using backup::HomeKeys;

constexpr std::string_view kMadeIn = "backups_made_in";

HomeKeys home_keys(const crypto::KeyStore& keys, Random& random) {
  return {[&](const crypto::LockedKey& key, std::string_view binding) { return keys.wrap(key, binding, random); },
          [&](std::string_view wrapped, std::string_view binding) { return keys.unwrap(wrapped, binding); },
          [&] {
            std::vector<std::uint32_t> ids;
            for (const auto& key : *keys.wrapping().current()) ids.push_back(key.id);
            return ids;
          },
          keys.fingerprint()};
}

HomeKeys no_keys() {
  const auto none = [](auto&&...) { return fail(Code::crypto, "there are no keys in the home"); };
  return {[=](const crypto::LockedKey&, std::string_view) -> Result<std::string> { return none(); },
          [=](std::string_view, std::string_view) -> Result<crypto::LockedKey> { return none(); },
          nullptr,
          {}};
}

// What the home's own settings and the environment name.
struct AtHand {
  crypto::UnsealSource source;  // the key file where the settings are not accepted
  std::string refused;  // why they are not
};

Result<AtHand> source_of(const std::string& home) {
  const auto environment = config::process_environment();
  const auto settings = config::load(home, std::nullopt, environment);
  if (!settings) return AtHand{{}, settings.error().detail};
  SP_TRY(auto source, unseal_source_of(*settings, environment));
  return AtHand{std::move(source), {}};
}

// What fails where the settings were not looked at may fail for that alone, and they are to be mended first.
std::unexpected<Error> explained(Error error, const AtHand& at_hand) {
  if (!at_hand.refused.empty() && (error.code == Code::config || error.code == Code::crypto)) {
    error.detail +=
        "; the key file alone was tried, since the settings of this home are not accepted: " + at_hand.refused +
        "; fix: mend these first, if encryption.* is to open the keys";
  }
  return fail(std::move(error));
}

// The keys in that folder; nothing where there are none.
Result<std::optional<crypto::KeyStore>> keys_in(const std::string& home, const crypto::UnsealSource& source) {
  auto ring = crypto::Keyring::open(home, source);
  if (ring) {
    SP_TRY(auto store, ring->store());
    return std::optional<crypto::KeyStore>(std::move(store));
  }
  if (ring.error().code != Code::not_found) return fail(std::move(ring).error());
  auto keys = crypto::KeyStore::open(home);
  if (keys) return std::optional<crypto::KeyStore>(std::move(*keys));
  if (keys.error().code != Code::not_found) return fail(std::move(keys).error());
  return std::optional<crypto::KeyStore>();
}

bool holds(const crypto::KeyStore& keys, std::string_view wrapped) {
  const auto named = crypto::WrappingKeys::named_by(wrapped);
  if (!named) return true;  // damage: no key would open it
  const auto all = keys.wrapping().current();
  return std::ranges::any_of(*all, [&](const crypto::WrappingKey& key) { return key.id == *named; });
}

// What a start refuses to go on with where it does not open (ControlPlane::load).
Result<void> check_start(storage::SqliteRepository& repository, const crypto::KeyStore& keys, Random& random) {
  auto stored = repository.load();
  if (!stored) return fail(std::move(stored).error());
  auto good = control::check_hash_keys(repository, keys);
  if (good) {
    const auto opened = control::TokenKeys(keys, random, {}).open(std::move(stored->token_keys));
    if (!opened) good = fail(opened.error());
  }
  if (good) return {};
  return fail(Code::config, "a home that is made of it would not start: " + good.error().detail);
}

// Was the database written under these keys? What does not open with them though the key is there: it was damaged before.
Result<std::vector<std::string>> check_rows(storage::SqliteRepository& repository, const crypto::KeyStore& keys,
                                            const Clock& clock, Random& random) {
  SP_TRY(const auto root, repository.get_meta("key_fingerprint"));
  if (root && *root != keys.fingerprint()) return fail(Code::crypto, "the database was written under other keys");
  SP_CHECK(check_start(repository, keys, random));
  control::Vault vault(repository.vault(), keys, random, clock);
  SP_CHECK(vault.load({}));
  std::vector<std::string> unopened;
  for (const auto& secret : vault.list(std::nullopt)) {
    for (const auto& version : secret.versions) {
      if (version.destroyed) continue;
      const auto value = vault.reveal({secret.owner, secret.name}, version.number);
      if (value) continue;
      const auto sealed = repository.vault().sealed_version(secret.id, version.number);
      if (sealed && !holds(keys, sealed->wrapped_key)) {
        return fail(value.error().code, "a secret of the vault does not open: " + value.error().detail);
      }
      unopened.push_back(value.error().detail);
    }
  }
  return unopened;
}

// Are the policies in `folder` those that were read last? Else, for people: with others there, others come into force.
Result<std::vector<std::string>> check_policies(storage::SqliteRepository& repository, const std::string& folder) {
  SP_TRY(const auto stored, repository.policies());
  const auto& [versions, state] = stored;
  const auto last = std::ranges::find(versions, state.read, &control::PolicyVersion::number);
  if (last == versions.end() || last->source == "bundle") return std::vector<std::string>();
  const auto found = read_policies(folder + "/" + std::string(backup::kPolicies));
  const bool none = found && found->empty();
  const bool same = none ? last->source == "shipped" : found && control::digest_of_policies(*found) == last->digest;
  if (same) return std::vector<std::string>();
  return std::vector<std::string>{
      "the policies in policies/ are not version " + std::to_string(last->number) + ", which was read last" +
      (found ? std::string(none ? ", there are none: the next start puts those in force that ship"
                                : ": the next start reads them anew")
             : ": " + found.error().detail)};
}

// The keys that a backup brought to `folder`, if any. By `source` alone: settings that came with them may be of whoever made the
// file, and could name a library to be loaded (encryption.hsm_module) or files to be read.
Result<std::optional<crypto::KeyStore>> keys_brought(const std::string& folder, const Source& source) {
  if (!backup::exists(folder + "/" + std::string(backup::kKeys))) return std::optional<crypto::KeyStore>();
  crypto::UnsealSource by;
  if (source) {
    SP_TRY(by, source());
  }
  auto own = keys_in(folder, by);
  if (own && *own) return own;
  return fail(Code::config,
              "the keys that the backup brings (keys/) do not open with what encryption.* of this home says: " +
                  (own ? "there is no keyring among them" : own.error().detail) +
                  "; what each source needs on another machine: docs/backup.md, Restoring");
}

// Does the home in `folder` open: its database, under its own keys, or under those of the home where it has none?
Result<std::vector<std::string>> check_folder(const std::string& folder, const crypto::KeyStore* keys,
                                              const Source& source, const Clock& clock, Random& random) {
  const std::string database = folder + "/" + std::string(backup::kDatabase);
  SP_TRY(const int version, storage::check_database(database));
  (void)version;
  SP_TRY(const auto own, keys_brought(folder, source));
  if (own) keys = &*own;
  if (keys == nullptr) return fail(Code::config, "neither the backup nor the home has keys for the database");
  auto unopened = [&]() -> Result<std::vector<std::string>> {
    SP_TRY(const auto repository, storage::SqliteRepository::open(database, clock));
    SP_TRY(auto rows, check_rows(*repository, *keys, clock, random));
    SP_TRY(auto policies, check_policies(*repository, folder));
    std::ranges::move(policies, std::back_inserter(rows));
    return rows;
  }();
  if (unopened || unopened.error().code != Code::storage) return unopened;
  return fail(Code::io, std::move(unopened).error().detail);  // the database was found whole above
}

// A row that was damaged may have named any of those that the home holds.
Result<std::vector<std::uint32_t>> keys_named_in(const std::string& database, const crypto::KeyStore* keys) {
  std::set<std::uint32_t> ids;
  SP_CHECK(storage::each_wrapped_key(database, [&](std::string_view wrapped) {
    if (const auto id = crypto::WrappingKeys::named_by(wrapped)) ids.insert(*id);
    else if (keys != nullptr)
      for (const auto& key : *keys->wrapping().current()) ids.insert(key.id);
  }));
  return std::vector<std::uint32_t>(ids.begin(), ids.end());
}

cli::BackupReport report_of(const backup::Manifest& manifest, const std::vector<std::string>& unopened) {
  cli::BackupReport report;
  report.id = manifest.id;
  report.made_at = iso_time(manifest.at);
  report.files = manifest.entries.size();
  report.notices = manifest.notices;
  for (const auto& one : unopened) report.notices.push_back("in it, as when it was made: " + one);
  return report;
}

// Where the settings of the home that is restored in `folder`, and belongs into `home`, have the database; empty: in the home. With
// what they refer to as it is restored there; what of them is refused for other reasons (the environment here is not the
// gateway's, say) is said later.
std::string database_of(const std::string& home, const std::string& folder) {
  const auto absolute = [](const std::string& path) {
    std::error_code error;
    return std::filesystem::absolute(path, error).lexically_normal().string();
  };
  const auto place = config::database_place(folder, config::process_environment());
  if (!place) return {};
  const std::string there = absolute(folder) + "/", own = absolute(home + "/" + std::string(backup::kDatabase));
  const std::string path =
      place->starts_with(there) ? absolute(home + "/" + place->substr(there.size())) : absolute(*place);
  return path == own ? std::string() : path;
}

// Where the settings that came back say that things lie elsewhere.
void add_notices(const std::string& home, const backup::Restored& done, cli::BackupReport& report) {
  if (!done.database.empty()) {
    report.notices.push_back("the database was put at " + done.database + ", where storage.url has it" +
                             (done.database_aside.empty() ? "" : "; what was there is " + done.database_aside));
  }
  const auto settings = config::load(home, std::nullopt, config::process_environment());
  if (!settings) {
    report.notices.push_back("sallyport.yaml of the backup is not accepted here: " + settings.error().detail);
    if (config::database_place(home, config::process_environment())) return;
    report.notices.push_back(
        "where storage.url puts the database is not known, so it is in the home; fix: mend the file, and "
        "if it names another place, move sallyport.db there, once what lies there and its -wal, -shm "
        "and -journal are out of the way");
    return;
  }
  const auto elsewhere = [&](const std::string& path, const std::string& name, std::string_view setting) {
    if (path == settings->home + "/" + name || !backup::exists(home + "/" + name)) return;
    report.notices.push_back(name + " was restored to the home, but " + std::string(setting) + " says " + path +
                             "; fix: move it there, or remove the setting");
  };
  elsewhere(settings->policies, std::string(backup::kPolicies), "policies");
  elsewhere(settings->audit.path, std::string(backup::kAudit), "audit.path");
}

// While it lives, what asks the process to end (Ctrl-C) waits: a trial in the clear is first cleared away.
class Interrupts {
 public:
  Interrupts() {
    sigemptyset(&ends_);
    for (const int one : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&ends_, one);
    pthread_sigmask(SIG_BLOCK, &ends_, &before_);
  }
  ~Interrupts() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  [[nodiscard]] bool none() const {
    sigset_t waiting;
    if (sigpending(&waiting) != 0) return true;
    return sigismember(&waiting, SIGINT) != 1 && sigismember(&waiting, SIGTERM) != 1 &&
           sigismember(&waiting, SIGHUP) != 1;
  }

 private:
  sigset_t ends_{}, before_{};
};

// Root becomes the user that serves before anything is written.
Result<void> settle_user(const config::Settings& settings) {
  if (geteuid() != 0) return {};
  SP_TRY(const ServiceUser user, service_user(settings));
  SP_CHECK(give_home(settings.home, user.run_as, user.owner));
  return drop_to(user.run_as, settings.home);
}

}  // namespace

backup::Places backup_places(const config::Settings& settings) {
  return {settings.home,       settings.storage.sqlite_path, settings.config_file,          settings.policies,
          settings.audit.path, settings.backup.path,         settings.policy.bundle.empty()};
}

backup::Tools backup_tools(const Clock& clock, Random& random, const crypto::KeyStore* keys, Source source) {
  backup::Tools tools{clock, random, keys != nullptr ? home_keys(*keys, random) : no_keys()};
  tools.copy_database = storage::copy_database;
  tools.check_home = [&clock, &random, keys, source = std::move(source)](const std::string& folder) {
    return check_folder(folder, keys, source, clock, random);
  };
  tools.keys_named_in = [keys](const std::string& database) { return keys_named_in(database, keys); };
  tools.program = SALLYPORT_VERSION;
  return tools;
}

Result<void> reread_settings(AppOptions& options) {
  const std::string file = options.settings.config_file;
  const bool there = !file.empty() && backup::exists(file);
  SP_TRY(options.settings,
         config::load(options.settings.home, there ? std::optional(file) : std::nullopt, options.environment));
  return {};
}

Result<std::unique_ptr<backup::Desk>> make_backup_desk(const AppOptions& options, const Clock& clock, Random& random,
                                                       const crypto::KeyStore& keys, control::Repository& repository,
                                                       std::function<void(std::string, bool)> note) {
  const config::Settings& settings = options.settings;
  SP_CHECK(backup::sweep(settings.home));
  backup::DeskRules rules;
  rules.every = settings.backup.every;
  rules.keep = settings.backup.keep;
  rules.with_audit = settings.backup.with_audit;
  rules.incremental = settings.backup.incremental;
  rules.verify = settings.backup.verify;
  rules.password = [&options]() -> Result<std::shared_ptr<const Secret>> {
    const config::Settings& now = options.settings;
    if (now.backup.recovery_password.empty()) return std::shared_ptr<const Secret>();
    SP_TRY(Secret password, config::resolve_reference(now.backup.recovery_password, now.home, options.environment));
    return std::make_shared<const Secret>(std::move(password));
  };
  rules.made_in = [&repository] { return repository.get_meta(kMadeIn); };
  rules.keep_made_in = [&repository](const std::string& folder) { return repository.put_meta(kMadeIn, folder); };
  auto tools = backup_tools(clock, random, &keys,
                            [&options] { return unseal_source_of(options.settings, options.environment); });
  return std::make_unique<backup::Desk>(backup_places(settings), std::move(tools), std::move(rules), std::move(note));
}

Result<void> note_restores(const std::string& home, audit::AuditWriter& writer, WallTime now) {
  SP_TRY(const auto notes, backup::restore_notes(home));
  for (const backup::RestoreNote& one : notes) {
    audit::AuditRecord record;
    record.time = now;
    record.event_type = audit::kSystem;
    record.principal = one.by.empty() ? "system" : one.by;
    record.action = "restore_backup";
    record.result = "success";
    record.reason = "backup=" + one.backup + " made_at=" + one.made_at + " restored_at=" + one.at;
    SP_CHECK(writer.write(record));
    SP_CHECK(backup::remove_all(one.path));
  }
  return {};
}

Result<cli::BackupReport> restore_backup(const cli::BackupFile& from) {
  const std::string by = "local:" + std::to_string(getuid());
  SP_CHECK(keep_memory_private());
  SP_CHECK(check_home(from.home));
  SP_CHECK(backup::make_folder(from.home));
  config::Settings unread;  // where what lies there is not accepted
  unread.home = from.home;
  const auto settings = load_settings(from.home, std::nullopt, config::process_environment());
  SP_CHECK(settle_user(settings ? *settings : unread));
  SP_CHECK(keep_memory_private());  // again: a process that changed its user is dumpable once more
  SP_TRY(const auto lock, storage::HomeLock::take(from.home));
  SP_TRY(const bool finished, backup::finish_restore(from.home));
  (void)finished;
  SP_TRY(const AtHand at_hand, source_of(from.home));
  const auto found_keys = keys_in(from.home, at_hand.source);
  if (!found_keys) return explained(found_keys.error(), at_hand);
  const auto& keys = *found_keys;
  const auto again = [&at_hand] { return Result<crypto::UnsealSource>(at_hand.source.clone()); };
  const SystemClock clock;
  SystemRandom random;
  const auto place = [&](const std::string& scratch) { return database_of(from.home, scratch); };
  const auto done =
      backup::restore(from.home, backup_tools(clock, random, keys ? &*keys : nullptr, again),
                      {from.file, from.password.empty() ? nullptr : &from.password, from.force, by, place});
  if (!done) return explained(done.error(), at_hand);
  cli::BackupReport report = report_of(done->manifest, done->unopened);
  report.aside = done->aside;
  add_notices(from.home, *done, report);
  return report;
}

Result<cli::BackupReport> verify_backup(const cli::BackupFile& from) {
  SP_CHECK(become_owner(from.home));
  SP_CHECK(keep_memory_private());
  const Interrupts interrupts;
  SP_TRY(const AtHand at_hand, source_of(from.home));
  const auto found_keys = keys_in(from.home, at_hand.source);
  if (!found_keys) return explained(found_keys.error(), at_hand);
  const auto& keys = *found_keys;
  const auto again = [&at_hand] { return Result<crypto::UnsealSource>(at_hand.source.clone()); };
  const SystemClock clock;
  SystemRandom random;
  std::error_code no_folder;
  const std::string scratch_in =
      backup::exists(from.home) ? from.home : std::filesystem::temp_directory_path(no_folder).string();
  if (no_folder) return fail(Code::io, "TMPDIR names no folder: " + no_folder.message());
  backup::Tools tools = backup_tools(clock, random, keys ? &*keys : nullptr, again);
  tools.go_on = [&interrupts] { return interrupts.none(); };
  const backup::Unlock unlock{&tools.keys, from.password.empty() ? nullptr : &from.password};
  const auto found = backup::verify(from.file, unlock, scratch_in, tools);
  if (!found) return explained(found.error(), at_hand);
  return report_of(found->manifest, found->unopened);
}

}  // namespace sallyport::app
