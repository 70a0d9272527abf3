// Start, ticks, signals and the orderly end.
#include <sys/prctl.h>

#include <csignal>
#include <latch>

#include "app/approval_desk.h"
#include "app/bundle.h"
#include "app/bundle_age.h"
#include "app/certificate_desk.h"
#include "app/doors.h"
#include "app/key_keep.h"
#include "app/opa.h"
#include "app/rules.h"
#include "app/vault_keep.h"
#include "app/worker_unit.h"
#include "control/backup/desk.h"
#include "engines/policy/policy.h"

namespace sallyport::app {
namespace {

constexpr std::chrono::seconds kTick{1};
constexpr int kTicksPerExpiry = 30;
constexpr int kTicksPerPrune = 3600;
constexpr int kTicksPerSweep = 5;  // of login sessions and keys; their last uses are stored so late at most
constexpr int kTicksPerKeyCheck = 60;
constexpr int kTicksPerBackupCheck = 60;
constexpr std::chrono::seconds kLastWords{1};

// Who called what since the last time, on all workers.
Task<std::vector<AccessUse>> access_uses_of(const Fleet& fleet) {
  std::vector<AccessUse> all;
  co_await fleet.on_every_worker([&all](Worker& worker) {  // one after the other
    for (AccessUse& use : worker.access_uses.take()) all.push_back(std::move(use));
  });
  co_return all;
}

}  // namespace

Result<void> App::build_worker(unsigned index) {
  const auto& settings = options_.settings;
  SP_TRY(auto opa, opa_of(settings, options_.environment));
  upstream::Settings upstreams;
  upstreams.sessions_per_principal = settings.upstream.sessions_per_principal;
  upstreams.sessions_per_server = settings.upstream.sessions_per_server;
  upstreams.sessions_max = settings.upstream.sessions_total;
  upstreams.idle_after = settings.upstream.idle;
  upstream::Deps deps{clock_, random_};
  deps.launcher = &*launcher_;
  deps.breakers = &*breakers_;
  deps.eras = &eras_;
  deps.resolve = [this](std::string text, std::string server, std::string principal, SteadyTime deadline) {
    return vault_->resolve(std::move(text), std::move(server), std::move(principal), deadline);
  };
  deps.log = [this](std::string_view server, std::string_view event, std::string_view text) {
    log_.info("upstream", {{"server", server}, {"event", event}, {"text", text}});
  };
  ListenerSettings listening;
  listening.address = settings.listen.address;
  listening.port = settings.listen.port;
  listening.reuse_port = true;
  listening.first = index == 0;
  if (index == 0 && settings.listen.admin_socket) listening.admin_socket = settings.home + "/admin.sock";
  listening.server = *http_;
  listening.arrival = doors_->arrival();
  units_.push_back(std::make_unique<WorkerUnit>(*this, index, std::move(deps), upstreams, std::move(listening)));
  if (opa) units_.back()->worker.ask_opa(units_.back()->egress, *std::move(opa));
  doors_->furnish(*units_.back());
  return {};
}

std::uint16_t App::port() const noexcept {
  return options_.listen && !units_.empty() ? units_.front()->listener.port() : options_.settings.listen.port;
}

Result<void> App::start() {
  if (options_.listen) {  // before anyone can see that we serve; what comes until we wait is kept
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
  }
  if (options_.listen) SP_CHECK(certificates_->try_port());  // not found out when the certificate falls due
  for (auto& unit : units_) {
    if (!options_.listen) break;
    SP_CHECK(unit->listener.bind());
    if (unit->plain) SP_CHECK(unit->plain->listener().bind());
  }
  key_keep_->measure();
  control_thread_ = std::thread([this] {
    ::prctl(PR_SET_NAME, "control");  // as `top -H` shows it
    control_io_.run();
  });
  for (auto& unit : units_) {
    asio::post(unit->io, [this, &u = *unit] {
      u.sweep.start();
      if (options_.listen) u.listener.start();
      if (u.plain) u.plain->listener().start();
      u.ticks.spawn(tick_worker(u));
      if (&u == units_.front().get() && is_fetched(options_.settings)) {
        u.ticks.spawn(
            watch_bundle({u.egress, u.io.get_executor(), control_io_.get_executor(), options_.settings, clock_, log_,
                          BundleAge(*repository_, clock_, options_.settings), [this] { return reload(); }}));
      }
    });
    unit->thread = std::thread([&io = unit->io] {
      ::prctl(PR_SET_NAME, "worker");
      io.run();
    });
  }
  if (options_.listen) {
    asio::co_spawn(control_io_, declare_servers(), [this](const std::exception_ptr& error) {
      if (error) log_.error("declaring servers ended by an exception");
    });
  }
  asio::co_spawn(control_io_, tick_control(), [this](const std::exception_ptr& error) {
    if (error && !stopping_) log_.error("the control plane's clock stopped");
  });
  started_ = true;
  return {};
}

Task<void> App::tick_worker(WorkerUnit& unit) {
  SteadyTimer timer(unit.io.get_executor());
  for (int count = 1;; ++count) {  // until cancelled: calls that outlive the drain are ended by it
    timer.expires_after(kTick);
    const auto [error] = co_await timer.async_wait(use_task_ec);
    if (error) co_return;
    unit.worker.tick();
    if (count % kTicksPerExpiry == 0) unit.worker.expire_sessions();
  }
}

void App::checkpoint() {
  auto made = audit_->checkpoint();
  if (!made) return log_.error("audit checkpoint not written", {{"why", made.error().detail}});
  if (!*made) return;
  const auto& point = **made;
  if (const auto kept = repository_->put_checkpoint({point.number, point.at, point.hash, point.line}); !kept) {
    log_.error("audit checkpoint not kept in the database", {{"why", kept.error().detail}});
  }
}

// No request asked for it, so no request's record tells: for log and audit. Nothing where there is no text.
void App::note(std::string_view action, std::string_view subject, std::string text, bool warn, bool bad) {
  if (text.empty()) return;
  log_.write(warn ? telemetry::Level::warning : telemetry::Level::info, action, {{"what", text}});
  audit::AuditRecord record;
  record.time = clock_.wall();
  record.event_type = audit::kSystem;
  record.principal = "system";
  record.action = action;
  record.result = bad ? "error" : "success";
  record.reason = std::string(subject) + ":" + std::move(text);
  if (const auto written = audit_->writer(static_cast<unsigned>(audit_->writers() - 1)).write(record); !written) {
    log_.error("audit record not written", {{"why", written.error().detail}});
  }
}

Task<void> App::tick_control() {
  SteadyTimer timer(control_io_.get_executor());
  int count = 0;
  while (!stopping_) {
    timer.expires_after(kTick);
    const auto [error] = co_await timer.async_wait(use_task_ec);
    if (error) co_return;
    checkpoint();
    if (++count % kTicksPerPrune == 0) (void)repository_->prune_revoked_tokens(clock_.wall());
    certificates_->ask_if_due();
    if (count % kTicksPerKeyCheck == 0) {
      certificates_->tick_beside();
      const auto signer = co_await control_->token_keys().maintain();
      if (!signer) log_.error("token signing keys not maintained", {{"why", signer.error().detail}});
      else note("rotate_token_keys", "token-key", *signer);
      const auto hash_keys = co_await control_->hash_keys().maintain();
      if (!hash_keys) log_.error("hash keys of API keys not maintained", {{"why", hash_keys.error().detail}});
      else note("rotate_hash_key", "hash-key", *hash_keys);
    }
    if (count % kTicksPerBackupCheck == 0) {  // beside the clock: it takes its time
      asio::co_spawn(control_io_, backups_->tick(), [this](const std::exception_ptr& thrown) {
        if (thrown) log_.error("making a backup ended by an exception");
      });
    }
    if (count % kTicksPerKeyCheck == 0) key_keep_->tick();
    if (count % kTicksPerSweep != 0) continue;
    if (doors_->tls() != nullptr) co_await doors_->tls()->watch();
    if (options_.listen) certificates_->watch();
    approvals_->sweep();
    vault_->sweep();
    access_book_->add(co_await access_uses_of(*fleet_));
    for (const auto& written : {control_->write_uses(), access_book_->write()}) {
      if (!written) log_.error("uses of API keys and tools not written", {{"why", written.error().detail}});
    }
    if (const auto forgotten = co_await control_->forget_old_secrets(clock_.wall()); !forgotten) {
      log_.error("old secrets of API keys not removed", {{"why", forgotten.error().detail}});
    }
    if (const auto stored = co_await control_->hash_keys().store_fresh(); !stored) {
      log_.error("fresh hashes of API keys not stored", {{"why", stored.error().detail}});
    }
    if (const auto swept = co_await control_->labels().sweep(); !swept) {
      log_.error("labels that have run out not removed", {{"why", swept.error().detail}});
    }
    const SnapshotPtr snapshot = control_->snapshot();
    if (const auto swept = co_await control_->logins().sweep(*snapshot->principals, clock_.wall()); !swept) {
      log_.error("login sessions not written", {{"why", swept.error().detail}});
    }
  }
}

void App::wait_for_signal() {
  std::promise<void> ended;
  asio::post(control_io_, [this, &ended] {
    auto loop = [](App& app, std::promise<void>& done) -> Task<void> {
      for (;;) {
        const auto [error, signal] = co_await app.signals_.async_wait(use_task_ec);
        if (error || signal != SIGHUP) break;
        if (const auto reloaded = co_await app.reload(); !reloaded) {
          app.log_.error("reload refused, everything stays as it was", {{"why", reloaded.error().detail}});
        }
        if (TlsDesk* const tls = app.doors_->tls()) (void)co_await tls->reload();  // it has said what came of it
      }
      done.set_value();
    };
    asio::co_spawn(control_io_, loop(*this, ended), [](const std::exception_ptr&) {});
  });
  ended.get_future().wait();
}

Task<Result<void>> App::reload() {
  auto fresh = config::load(options_.settings.home,
                            options_.settings.config_file.empty() ? std::nullopt : std::optional(options_.settings.config_file),
                            options_.environment);
  if (!fresh) co_return fail(std::move(fresh).error());
  auto policy = policies_of(*fresh);
  if (!policy) co_return fail(std::move(policy).error());
  BundleAge age(*repository_, clock_, *fresh);
  SP_CO_CHECK(age.check(policy->issued_at));
  log_.set_level(telemetry::parse_level(fresh->log.level).value_or(telemetry::Level::info));
  SP_CO_TRY(const auto reading, co_await control_->replace_rules(std::move(policy->set), limits_of(*fresh)));
  SP_CO_CHECK(age.keep(policy->issued_at));
  note("read_policies", "policy-version", reading_text(reading));
  log_.info("reloaded: log level, limits, policies");
  co_return Result<void>{};
}

void App::stop() {
  if (stopping_.exchange(true)) return;
  if (key_keep_) key_keep_->give_up();  // an order that waits for what opens the keyring is answered, not waited for
  if (started_) {
    if (options_.listen) log_.info("stopping");
    const SteadyTime deadline = clock_.steady() + options_.settings.limits.drain;
    std::latch drained(static_cast<std::ptrdiff_t>(units_.size()));
    for (auto& unit : units_) {
      auto end = [](App& app, WorkerUnit& u, SteadyTime until) -> Task<void> {
        u.worker.close_quiet_streams();
        if (app.options_.listen) {
          u.listener.stop_accepting();
          if (u.plain) u.plain->listener().stop_accepting();
          // What has not ended shortly before the deadline is cancelled, so that it can still be answered.
          u.worker.end_calls_at(until - kLastWords);
          co_await u.listener.drain(until);
          if (u.plain) co_await u.plain->listener().drain(until);
        }
      };
      asio::co_spawn(unit->io, end(*this, *unit, deadline), [&drained](const std::exception_ptr&) { drained.count_down(); });
    }
    drained.wait();
    std::latch closed(static_cast<std::ptrdiff_t>(units_.size()));
    for (auto& unit : units_) {
      auto end = [](WorkerUnit& u) -> Task<void> {
        u.worker.end_calls();  // not before: another worker's connection may have waited for one of them
        u.ticks.cancel();
        co_await u.ticks.join();
        co_await u.worker.upstreams.stop();
        co_await u.worker.tasks.join();
        u.egress.drop_idle();
        u.sweep.stop();
        u.work.reset();
      };
      asio::co_spawn(unit->io, end(*unit), [&closed](const std::exception_ptr&) { closed.count_down(); });
    }
    closed.wait();
    approvals_->stop();
    vault_->stop();
    key_keep_->stop();
  }
  passwords_ ? passwords_->stop() : void();
  aside_ ? aside_->stop() : void();
  workshop_ ? workshop_->stop() : void();
  backups_ ? backups_->stop() : void();
  signals_.cancel();
  control_work_.reset();
  control_io_.stop();
  if (control_thread_.joinable()) control_thread_.join();
  for (auto& unit : units_) {
    unit->io.stop();
    if (unit->thread.joinable()) unit->thread.join();
  }
  if (control_ && repository_ && access_book_) {
    for (auto& unit : units_) access_book_->add(unit->worker.access_uses.take());
    (void)control_->write_uses();
    (void)access_book_->write();
    (void)vault_->write_uses();
  }
  if (audit_ && repository_) {
    if (const auto point = audit_->close()) (void)repository_->put_checkpoint({point->number, point->at, point->hash, point->line});
  }
  units_.clear();
  launcher_.reset();
}

RestAnswer App::local_request(std::string_view method, std::string_view path, std::string_view query, std::string body) {
  auto local = std::make_shared<Principal>();
  local->id = "local:" + std::to_string(getuid());
  local->kind = PrincipalKind::local;
  local->name = "local administrator";
  local->roles = {"admin"};
  local->auth_type = "local";
  RestRequest request;
  request.method = method;
  request.path = path;
  request.query = query;
  request.body = std::move(body);
  request.content_type = "application/json";
  request.principal = std::move(local);
  request.channel = Channel::local;
  request.address = "local";
  request.request_id = random_id(random_, 12);
  request.now = clock_.wall();
  WorkerUnit& unit = *units_.front();
  std::promise<RestAnswer> promise;
  asio::post(unit.io, [&] {
    request.snapshot = unit.worker.snapshot;
    asio::co_spawn(unit.io, unit.pipeline.local(std::move(request)), [&promise](const std::exception_ptr& error, RestAnswer answer) {
      if (error) answer.status = 500;
      promise.set_value(std::move(answer));
    });
  });
  return promise.get_future().get();
}

}  // namespace sallyport::app
