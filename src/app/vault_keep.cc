#include "app/vault_keep.h"

#include <latch>
#include <string>
#include <utility>
#include <vector>

#include "app/key_keep.h"
#include "app/metric_text.h"
#include "app/secret_sources.h"
#include "app/worker_unit.h"
#include "control/backup/desk.h"
#include "control/vault_source.h"
#include "control/wrapped_rows.h"

namespace sallyport::app {
namespace {

constexpr std::uint32_t kRowsAStep = 100;

control::VaultRules rules_of(const config::SecretSettings& settings) {
  return {settings.secrets, settings.per_owner, settings.versions};
}

control::ExchangeRules exchange_rules_of(const config::SecretSettings& settings) {
  return {settings.exchange_key_bits, std::chrono::days(settings.exchange_key_days),
          std::chrono::days(settings.exchange_grace_days)};
}

template <class F>
bool any_value(const ServerRecord& server, F refers) {
  for (const auto* values : {&server.env, &server.headers, &server.query, &server.files}) {
    for (const auto& [name, value] : *values) {
      if (refers(value)) return true;
    }
  }
  return refers(server.tls.client_key);
}

// The person behind a principal: of a key with an owner that one's id.
std::string person_behind(const Snapshot& snapshot, const std::string& principal) {
  if (!principal.starts_with("key:")) return principal;
  const auto& keys = snapshot.principals->keys;
  const auto key = keys.find(std::string_view(principal).substr(4));
  if (key == keys.end() || key->second->owner_user_id.empty()) return principal;
  return "user:" + key->second->owner_user_id;
}

bool is_there(const Principals& principals, std::string_view owner) {
  if (owner.starts_with("user:")) return principals.users.contains(owner.substr(5));
  return owner.starts_with("key:") && principals.keys.contains(owner.substr(4));
}

Result<std::shared_ptr<crypto::RsaKey>> make_key(unsigned bits) {
  SP_TRY(auto key, crypto::RsaKey::generate(bits));
  return std::make_shared<crypto::RsaKey>(std::move(key));
}

}  // namespace

App::VaultKeep::VaultKeep(App& app)
    : app_(app),
      vault_(app.repository_->vault(), *app.keys_, app.random_, app.clock_),
      one_time_(vault_, app.random_, app.clock_,
                [&app](std::string_view principal, const control::VaultName& where) {
                  return control::may_read_still(*app.control_->snapshot(), principal, where, app.clock_.wall());
                }),
      exchange_(
          app.repository_->vault(), *app.keys_, app.random_, app.clock_,
          [this](unsigned bits) {
            return app_.aside_->run<std::shared_ptr<crypto::RsaKey>>("system", [bits] { return make_key(bits); });
          },
          [this](const std::string& id, const std::string& former) {
            app_.note("rotate_exchange_key", "exchange-key", id + (former.empty() ? "" : " former=" + former));
          }),
      resolver_(app.control_io_.get_executor(), app.clock_,
                [this](const std::string& reference, const control::SecretUse& use, const Result<void>& outcome) {
                  return note_use(reference, use, outcome);
                }),
      desk_{vault_, one_time_, exchange_, [this] { return seal(); }, [this] { return unseal(); }} {}

Result<void> App::VaultKeep::open() {
  const auto& settings = app_.options_.settings.secrets;
  SP_CHECK(vault_.load(rules_of(settings)));
  SP_CHECK(exchange_.load(exchange_rules_of(settings)));
  vault_.on_changed([this](const control::VaultName& where, bool gone) { changed(where, gone); });
  SP_CHECK(add_sources());
  if (app_.options_.listen) asio::post(app_.control_io_, [this] { resolver_.start(); });
  wrap_anew_on_rotation();
  if (vault_.sealed()) app_.log_.warning("the vault is sealed, as it was left; fix: sallyport vault unseal");
  return {};
}

// What a new key-encryption key means for what is stored here.
void App::VaultKeep::wrap_anew_on_rotation() {
  control::KeyDesk& desk = app_.key_keep_->desk();
  desk.add_rows(control::rows_of(vault_, kRowsAStep));
  desk.add_rows(control::rows_of(exchange_));
  // A backup cannot be written again: while one is kept, so are the keys that it needs.
  desk.add_rows({[] {}, [] { return Result<bool>(false); }, [this] { return app_.backups_->keys_in_use(); }});
}

Result<void> App::VaultKeep::add_sources() {
  using control::LocalSource;
  const auto configured = [this](const char* scheme) {
    return std::make_unique<LocalSource>([this, scheme](const std::string& name, const control::SecretUse&) {
      const auto& options = app_.options_;
      return config::resolve_reference("${" + std::string(scheme) + ":" + name + "}", options.settings.home,
                                       options.environment);
    });
  };
  resolver_.add("env", configured("env"));
  resolver_.add("file", configured("file"));
  resolver_.add("dir", std::make_unique<LocalSource>([this](const std::string& name, const control::SecretUse&) {
                  return config::read_secret_in(app_.options_.settings.secrets.folder, name);
                }));
  resolver_.add("vault", std::make_unique<control::VaultSource>(vault_, [this](const std::string& principal) {
                  return person_behind(*app_.control_->snapshot(), principal);
                }));
  return add_remote_sources(resolver_, {app_.control_io_.get_executor(), app_.clock_, app_.options_.settings,
                                        app_.options_.environment, app_.log_});
}

void App::VaultKeep::stop() {
  std::latch ended(1);
  asio::co_spawn(app_.control_io_, resolver_.stop(), [&ended](const std::exception_ptr&) { ended.count_down(); });
  ended.wait();
}

Task<Result<Secret>> App::VaultKeep::resolve_there(std::string text, control::SecretUse use) {
  co_return co_await resolver_.resolve(std::move(text), std::move(use));
}

Task<Result<Secret>> App::VaultKeep::resolve(std::string text, std::string server, std::string principal,
                                             SteadyTime deadline) {
  co_return co_await run_on<Secret>(
      app_.control_->executor(), resolve_there(std::move(text), {std::move(server), std::move(principal), deadline}));
}

// Each secret that a server got, from whichever source, for whom; and whatever it was refused for.
Result<void> App::VaultKeep::note_use(const std::string& reference, const control::SecretUse& use,
                                      const Result<void>& outcome) {
  if (!outcome) app_.log_.warning("secret not resolved", {{"server", use.server}, {"why", outcome.error().detail}});
  audit::AuditRecord record;
  record.time = app_.clock_.wall();
  record.event_type = audit::kSecurity;
  record.principal = use.principal.empty() ? "system" : use.principal;
  record.server = use.server;
  record.action = "use_secret";
  record.result = outcome ? "success" : "error";
  record.reason = reference;
  if (!outcome) record.evidence = outcome.error().detail;
  auto written = app_.audit_->writer(static_cast<unsigned>(app_.audit_->writers() - 1)).write(record);
  if (!written) app_.log_.error("audit record not written", {{"why", written.error().detail}});
  return written;
}

// Sessions that were opened with what it was: the next use of the server opens others.
void App::VaultKeep::changed(const control::VaultName& where, bool gone) {
  for (const auto& [name, server] : app_.control_->snapshot()->catalogue->servers) {
    if (!any_value(*server, [&](const auto& value) { return control::refers_to(value, where); })) continue;
    asio::co_spawn(
        app_.control_io_,
        [](App& app, std::string server_name, std::string owner, bool hard) -> Task<void> {
          co_await app.fleet_->on_every_worker([&](Worker& worker) {
            worker.upstreams.renew(server_name, hard, [&](const std::string& principal) {
              return owner.empty() || principal == owner || person_behind(*worker.snapshot, principal) == owner;
            });
          });
        }(app_, name, where.owner, gone),
        [this](const std::exception_ptr& error) {
          if (error) app_.log_.error("sessions of a changed secret not renewed");
        });
  }
}

// What is in memory goes first: a database that is locked or full keeps no key alive, and no session that was opened with one.
Result<void> App::VaultKeep::seal() {
  control::KeyDesk& desk = app_.key_keep_->desk();
  desk.drop();
  exchange_.forget();
  resolver_.forget();
  std::vector<std::string> ending;
  for (const auto& [name, server] : app_.control_->snapshot()->catalogue->servers) {
    if (!any_value(*server, [](const auto& value) { return value.find("${vault:") != std::string::npos; })) continue;
    app_.breakers_->forget(name);
    ending.push_back(name);
  }
  for (const auto& unit : app_.units_) {  // not awaited: the mark waits for nobody
    asio::post(unit->io, [&worker = unit->worker, ending] {
      for (const std::string& name : ending) worker.upstreams.end_server(name);
    });
  }
  return desk.seal();
}

std::string App::VaultKeep::metrics() const {
  std::string out;
  add_metric(out, "sallyport_vault_sealed", "1: the vault is sealed, and gives no secret to anybody.", "gauge");
  return out.append("sallyport_vault_sealed ").append(app_.keys_->wrapping_key() == 0 ? "1\n" : "0\n");
}

Task<Result<void>> App::VaultKeep::unseal() { co_return co_await app_.key_keep_->desk().unseal(); }

void App::VaultKeep::sweep() {
  const auto failed = [this](const char* what, const Error& error) { app_.log_.error(what, {{"why", error.detail}}); };
  if (const auto written = vault_.write_uses(); !written) failed("uses of secrets not written", written.error());
  if (const auto swept = exchange_.sweep(); !swept) failed("old exchange keys not removed", swept.error());
  const auto principals = app_.control_->snapshot()->principals;
  const auto gone = vault_.remove_of_gone([&](std::string_view owner) { return is_there(*principals, owner); });
  if (!gone) failed("secrets of those who are gone not removed", gone.error());
  else if (*gone > 0) app_.note("delete_secrets", "vault", std::to_string(*gone) + " of principals that are gone");
  const auto erased = vault_.erase_rest();
  if (!erased) return failed("what was erased is not gone everywhere yet", erased.error());
  if (*erased) log_read_ = false;
  else if (!std::exchange(log_read_, true))
    app_.log_.warning(
        "erased secrets stand in the database's log until nobody reads it any more, a backup for example");
}

}  // namespace sallyport::app
