// Opening a home: lock, launcher, privileges, keys (keys.cc), store. In this order: the launcher is forked while the process has one
// thread, and before it the user is settled, since everything after belongs to that user.
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/backups.h"
#include "app/bundle.h"
#include "app/key_keep.h"
#include "app/privileges.h"
#include "app/root_start.h"
#include "app/rules.h"
#include "app/worker_unit.h"
#include "core/encoding.h"
#include "engines/policy/policy.h"

namespace sallyport::app {
namespace {

namespace fs = std::filesystem;

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error || chmod(path.c_str(), 0700) != 0) return fail(Code::io, "cannot make " + path + ": " + error.message());
  return {};
}

Secret redaction_key(const crypto::KeyStore& keys) {
  const auto key = keys.key(crypto::Purpose::audit_redaction);
  return Secret(std::string(as_text(key)));
}

// A command without a server holds the lock for the moment that it takes: who is to serve waits for it.
Result<storage::HomeLock> take_lock(const std::string& home, bool patient, telemetry::Log& log) {
  constexpr std::chrono::seconds kPatience{10};
  auto lock = storage::HomeLock::take(home);
  if (lock || !patient || lock.error().code != Code::conflict) return lock;
  log.warning("waiting for the home, 10 s at most", {{"why", lock.error().detail}});
  return storage::HomeLock::take(home, kPatience);
}

}  // namespace

Result<policy::Modules> read_policies(const std::string& folder) {
  policy::Modules found;
  std::error_code error;
  // Only a folder that is not there is no policy: one that cannot be read must not let the shipped ones in instead.
  const auto status = fs::status(folder, error);
  if (status.type() == fs::file_type::not_found) return found;
  if (!fs::is_directory(status)) return fail(Code::config, "cannot read the folder of policies " + folder);
  fs::directory_iterator entries(folder, error);
  if (error) return fail(Code::config, "cannot read the folder of policies " + folder + ": " + error.message());
  for (const auto& entry : entries) {
    if (entry.path().extension() != ".rego") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream text;  // by operator<<: a folder named x.rego is a failed read, not an exception
    if (file.is_open() && file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
    found.emplace_back(entry.path().filename().string(), text.str());
    if (!file.is_open() || file.bad() || !text) return fail(Code::config, "cannot read " + entry.path().string());
  }
  std::ranges::sort(found);
  return found;
}

std::string reading_text(const control::PolicyReading& reading) {
  if (!reading.fresh) return {};
  std::string out = std::to_string(reading.version.number) + " source=" + reading.version.source;
  if (reading.former != 0) out += " former=" + std::to_string(reading.former);
  return out + (reading.activated ? "" : ", not in force: somebody put another one in force");
}

std::string text_of(const KeyRecord& key, std::string_view why) {
  return key.id + " (" + key.name + "): " + std::string(why);
}

Result<std::shared_ptr<const policy::Compiled>> fit_for_force(const policy::Modules& modules) {
  SP_TRY(auto compiled, policy::Compiled::of(modules));
  const auto missing = policy::missing_packages(modules);
  if (missing.empty()) return compiled;
  return fail(Code::config, "the policies have no package " + std::string(missing.front()) +
                                ": whatever it is asked would be refused, to those who could mend it too; fix: add "
                                "package " +
                                std::string(missing.front()) +
                                " to the folder or bundle (docs/policy.md shows one), "
                                "or move the folder away: without one what ships is in force");
}

Result<FoundPolicies> policies_of(const config::Settings& settings) {
  FoundPolicies found;
  PolicySet& set = found.set;
  if (!settings.policy.bundle.empty()) {
    SP_TRY(auto read, read_bundle(settings));
    set.modules = std::move(read.modules);
    found.issued_at = read.issued_at;
    set.source = "bundle";
    set.reason = read.revision.empty() ? "" : "revision " + read.revision;
  } else {
    SP_TRY(set.modules, read_policies(settings.policies));
    set.source = set.modules.empty() ? "shipped" : "folder";
  }
  if (set.modules.empty()) set.modules = policy::shipped_policies();
  SP_TRY(set.compiled, fit_for_force(set.modules));
  return found;
}

Result<void> App::open_home() {
  const auto& settings = options_.settings;
  SP_CHECK(check_home(settings.home));
  SP_CHECK(make_folder(settings.home));
  SP_CHECK(keep_memory_private());
  std::optional<RunAs> run_as;
  if (geteuid() == 0) {
    SP_TRY(const ServiceUser user, service_user(settings));
    if (!user.note.empty() && options_.listen) log_.warning("not as sandbox.run_as", {{"why", user.note}});
    run_as = user.run_as;
    SP_CHECK(give_home(settings.home, *run_as, user.owner));
  }
  launcher::Options launch;
  launch.home = settings.home;
  launch.sandbox = settings.sandbox.mode == config::SandboxMode::require ? launcher::Sandbox::require : launcher::Sandbox::prefer;
  if (run_as) {
    launch.run_as_uid = run_as->uid;
    launch.run_as_gid = run_as->gid;
  }
  SP_TRY(auto launcher, launcher::Launcher::fork_now(launch));
  launcher_.emplace(std::move(launcher));
  if (run_as) SP_CHECK(drop_to(*run_as, settings.home));
  SP_CHECK(keep_memory_private());  // again: the kernel makes who changes its user dumpable as fs.suid_dumpable says
  SP_TRY(auto lock, take_lock(settings.home, options_.listen, log_));
  lock_.emplace(std::move(lock));
  SP_TRY(const bool restored, backup::finish_restore(settings.home));
  if (restored) SP_CHECK(reread_settings(options_));
  if (!launcher_->fallback_reason().empty()) {
    log_.warning("tool servers run without namespaces", {{"confinement", launcher::confinement_name(launcher_->confinement())},
                                                         {"why", launcher_->fallback_reason()}});
  }
  key_keep_ = std::make_unique<KeyKeep>(*this);
  SP_CHECK(key_keep_->open());
  SP_TRY(repository_, storage::SqliteRepository::open(settings.storage.sqlite_path, clock_));
  SP_CHECK(key_keep_->settle());
  if (!settings.auth.secret_key.empty()) {
    SP_TRY(auto secret, config::resolve_reference(settings.auth.secret_key, settings.home, options_.environment));
    SP_CHECK(keys_->replace_token_signing(std::move(secret)));
  }
  redactor_.emplace(redaction_key(*keys_));
  return {};
}

}  // namespace sallyport::app
