#include "app/hooks.h"

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "app/app.h"
#include "app/backups.h"
#include "app/init.h"
#include "app/keys.h"
#include "app/opa.h"
#include "app/policies.h"
#include "app/privileges.h"
#include "app/root_start.h"
#include "app/rules.h"
#include "app/worker_unit.h"
#include "config/own_url.h"
#include "core/encoding.h"
#include "crypto/envelope.h"
#include "engines/decide/replay.h"
#include "engines/policy/trial.h"
#include "request/audit/verify.h"

namespace sallyport::app {
namespace {

std::string own_path(const std::string& fallback) {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? fallback : path.string();
}

Result<std::unique_ptr<App>> open_app(const std::string& home, const std::optional<std::string>& config, bool listen, bool create) {
  AppOptions options;
  options.environment = config::process_environment();
  SP_TRY(options.settings, load_settings(home, config, options.environment));
  options.listen = listen;
  options.create = create;
  return App::open(std::move(options));
}

int complain(const Error& error) {
  std::fprintf(stderr, "sallyport: %s\n", error.detail.empty() ? std::string(info(error.code).public_text).c_str() : error.detail.c_str());
  return 1;
}

int serve(const cli::ServeOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of write(2), and refuses work
  auto app = open_app(options.home, options.config, true, false);
  if (!app) {
    if (app.error().code == Code::not_found) {
      std::fprintf(stderr, "sallyport: %s is not set up; fix: sallyport init --home %s\n", options.home.c_str(), options.home.c_str());
      return 1;
    }
    return complain(app.error());
  }
  if (auto started = (*app)->start(); !started) return complain(started.error());
  std::fprintf(stderr, "sallyport: serving on %s/mcp\n", config::own_url((*app)->settings(), (*app)->port()).c_str());
  (*app)->wait_for_signal();
  (*app)->stop();
  return 0;
}

Result<std::string> init(const cli::InitOptions& options, const std::string& program) {
  SP_TRY(auto app, open_app(options.home, options.config, false, true));
  SP_CHECK(app->start());
  return first_setup(*app, program, options.json);
}

Result<cli::ApiAnswer> local_request(const std::string& home, std::string_view method, std::string_view path, std::string_view body) {
  std::signal(SIGPIPE, SIG_IGN);
  SP_TRY(auto app, open_app(home, std::nullopt, false, false));
  SP_CHECK(app->start());
  const auto question = std::min(path.find('?'), path.size());
  const auto query = path.substr(std::min(question + 1, path.size()));
  RestAnswer answer = app->local_request(method, path.substr(0, question), query, std::string(body));
  return cli::ApiAnswer{answer.status, std::move(answer.body)};
}

// To look at, never to make or to change: a gateway may be running on it.
Result<std::unique_ptr<storage::SqliteRepository>> known_database(const std::string& path) {
  auto opened = storage::SqliteRepository::open_to_read(path);
  if (opened || opened.error().code != Code::not_found) return opened;
  return fail(Code::not_found,
              opened.error().detail + "; fix: bring it back or restore a backup; in a new home: sallyport init");
}

// What doctor says of the database: ok where a start would leave it as it is.
cli::Check check_database(const std::string& path) {
  using State = cli::Check::State;
  const auto version = [&]() -> Result<int> {
    SP_TRY(const auto repository, known_database(path));
    SP_CHECK(repository->check());
    return repository->schema_version();
  }();
  if (!version) {
    return {State::fail, "database", version.error().detail, "see the message; docs/reference/config.md"};
  }
  const int newest = storage::SqliteRepository::newest_schema();
  const std::string found = "opens, undamaged, schema version " + std::to_string(*version);
  if (*version == newest) return {State::ok, "database", found + ", the current one", ""};
  return {State::warn, "database", found + "; the next start of this program brings it to " + std::to_string(newest),
          "sallyport serve"};
}

Result<cli::AuditVerdict> verify_audit(const std::string& home) {
  const auto environment = config::process_environment();
  SP_TRY(const auto settings, load_settings(home, std::nullopt, environment));
  SP_CHECK(become_owner(settings.home));
  SP_CHECK(keep_memory_private());
  SP_TRY(const auto keys, read_keys(settings, environment));
  SP_TRY(const auto signer, crypto::SigningKey::from_seed(keys.key(crypto::Purpose::audit_signing)));
  audit::VerifyOptions options;
  options.public_key = std::string(as_text(signer.public_key()));
  options.sealing_key = keys.key(crypto::Purpose::audit_encryption);
  const std::string& database = settings.storage.sqlite_path;
  SP_TRY(const auto repository, known_database(database));
  SP_TRY(const auto known, repository->last_checkpoints(1));
  if (known.empty()) {
    return cli::AuditVerdict{
        false, 0,
        "the database " + database +
            " knows no checkpoint of the audit, so that a roll-back could not be seen; a gateway that "
            "runs on it makes one each second: if one ever did, the database is not the one it was"};
  }
  options.known = audit::KnownCheckpoint{known.back().number, known.back().hash};
  SP_TRY(const auto report, audit::verify(settings.audit.path, options));
  cli::AuditVerdict verdict{report.intact, report.records, {}};
  if (report.broken) {
    verdict.problem = report.broken->file + (report.broken->line != 0 ? ":" + std::to_string(report.broken->line) : "") + ": " + report.broken->why;
  }
  return verdict;
}

Result<std::string> seal_envelope(const std::string& public_pem, const std::string& subject, const Secret& value) {
  SP_TRY(const auto key, crypto::RsaKey::from_public_pem(public_pem));
  SystemRandom random;
  return crypto::seal_envelope(key, subject, value.reveal(), random);
}

Result<std::string> replay_policies(const cli::PolicyFiles& files, const std::string& recorded) {
  SP_TRY(auto decisions, read_recorded(recorded));
  SP_TRY(auto replay, Replay::of(files, std::move(decisions)));
  const SystemClock clock;
  while (replay.step(clock, std::chrono::seconds(1))) continue;
  return replay_text(replay.report());
}

std::vector<cli::Check> doctor(const config::Settings& settings) {
  std::vector<cli::Check> checks;
  const auto add = [&](std::string name, const Result<void>& found, std::string good) {
    if (found) {
      checks.push_back({cli::Check::State::ok, std::move(name), std::move(good), ""});
      return;
    }
    const bool none = found.error().code == Code::not_found;
    checks.push_back({cli::Check::State::fail, std::move(name), found.error().detail,
                      none ? "sallyport init makes a new home; docs/backup.md: the way back to an old one"
                           : "see the message; docs/reference/config.md"});
  };
  add("home", become_owner(settings.home), settings.home + " can be entered by its owner");
  const auto keys = read_keys(settings, config::process_environment());
  add("keys", keys ? Result<void>() : fail(keys.error()), "what opens the keyring is there, private and strong");
  checks.push_back(check_database(settings.storage.sqlite_path));
  const auto opa = opa_of(settings, config::process_environment());
  if (!opa) add("opa", fail(opa.error()), "");
  else if (*opa) add("opa", try_opa(**opa), settings.opa.url + " answers for tool_access and admin_access");
  const auto policy = policies_of(settings);
  add("policies", policy ? Result<void>() : fail(policy.error()), "compile, tool_access and admin_access are there");
  return checks;
}

}  // namespace

cli::Hooks make_hooks(std::string program) {
  cli::Hooks hooks;
  hooks.version = SALLYPORT_VERSION;
  hooks.serve = serve;
  hooks.init = [path = own_path(program)](const cli::InitOptions& options) { return init(options, path); };
  hooks.local_request = local_request;
  hooks.verify_audit = verify_audit;
  hooks.try_policies = try_policies;
  hooks.read_policies = policies_in;
  hooks.replay_policies = replay_policies;
  hooks.explain_policies = explain_policies;
  hooks.verify_backup = verify_backup;
  hooks.restore_backup = restore_backup;
  hooks.doctor = doctor;
  hooks.seal_envelope = seal_envelope;
  return hooks;
}

}  // namespace sallyport::app
