#include "app/app.h"

#include <algorithm>

#include "app/approval_desk.h"
#include "app/backups.h"
#include "app/bundle.h"
#include "app/bundle_age.h"
#include "app/certificate_desk.h"
#include "app/doors.h"
#include "app/key_keep.h"
#include "app/rules.h"
#include "app/vault_keep.h"
#include "app/worker_unit.h"
#include "config/own_url.h"
#include "control/backup/desk.h"
#include "crypto/signature.h"
#include "engines/pin/definition.h"
#include "json/slice.h"
#include "json/writer.h"
#include "request/audit/tail.h"

namespace sallyport::app {
namespace {

telemetry::Log::Options log_options(const config::Settings& settings) {
  telemetry::Log::Options options;
  options.level = telemetry::parse_level(settings.log.level).value_or(telemetry::Level::info);
  options.json = settings.log.json;
  return options;
}

ServerRecord server_defaults(const config::Settings& settings) {
  ServerRecord server;
  server.call_timeout = settings.upstream.call_timeout;
  server.start_timeout = settings.upstream.start_timeout;
  server.result_bytes_max = settings.upstream.result_bytes;
  server.allow_private = settings.upstream.allow_private;
  return server;
}

CertificateRules certificate_rules(const config::Settings& settings) {
  const std::string& said = settings.auth.client_certificates;
  CertificateRules rules{CertificateUse::off, settings.second_factor.required_roles};
  if (said == "beside") rules.use = CertificateUse::beside;
  if (said == "required") rules.use = CertificateUse::required;
  if (said == "only") rules.use = CertificateUse::only;
  return rules;
}

net::ServerSettings http_settings(const config::Settings& settings) {
  net::ServerSettings http;
  http.limits.head_bytes = settings.limits.head_bytes;
  http.limits.body_bytes = settings.limits.body_bytes;
  http.limits.header_count = settings.limits.header_count;
  http.timeouts.head = settings.limits.head_timeout;
  http.timeouts.body = settings.limits.body_timeout;
  http.timeouts.idle = settings.limits.idle_timeout;
  http.timeouts.write = settings.limits.write_timeout;
  return http;
}

control::SessionRules session_rules(const config::Settings& settings) {
  control::SessionRules rules;
  rules.idle = settings.auth.session_idle;
  rules.lifetime = settings.auth.session_lifetime;
  rules.per_user = settings.auth.sessions_per_user;
  rules.per_key = settings.auth.sessions_per_key;
  const std::string& binding = settings.auth.session_binding;
  rules.binding = binding == "address"      ? SessionBinding::address
                  : binding == "user_agent" ? SessionBinding::user_agent
                  : binding == "both"       ? SessionBinding::both
                                            : SessionBinding::none;
  return rules;
}

unsigned worker_count(const AppOptions& options) {
  if (!options.listen) return 1;
  const unsigned wanted = options.settings.listen.workers;
  return wanted != 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
}

control::TokenKeyRules token_key_rules(const config::Settings& settings) {
  control::TokenKeyRules rules;
  rules.algorithm = crypto::jws_algorithm(settings.auth.algorithm).value_or(rules.algorithm);
  rules.operator_secret = rules.algorithm == crypto::JwsAlgorithm::hs256 && !settings.auth.secret_key.empty();
  rules.token_lifetime = settings.auth.access_token;
  rules.rotate_after = std::chrono::days(settings.auth.key_rotation_days);
  return rules;
}

control::AccountRules account_rules_of(const config::Settings& settings) {
  control::AccountRules rules;
  rules.token_lifetime = settings.auth.access_token;
  rules.passwords = settings.password_profile == config::PasswordProfile::nist ? control::PasswordProfile::nist
                                                                               : control::PasswordProfile::guide;
  return rules;
}

control::SecondFactorRules factor_rules_of(const config::Settings& settings) {
  control::SecondFactorRules rules;
  rules.required_roles = settings.second_factor.required_roles;
  rules.step_up = settings.second_factor.step_up;
  rules.password_leans_on_it = settings.password_profile == config::PasswordProfile::nist;
  return rules;
}

Task<std::vector<RecordedDecision>> recorded_decisions(const Fleet& fleet) {
  auto all = std::make_shared<std::vector<RecordedDecision>>();
  co_await fleet.on_every_worker([all](Worker& worker) {
    const Recorder* const recorder = worker.decider.recorder();
    if (recorder == nullptr) return;
    for (auto& one : recorder->all()) all->push_back(std::move(one));
  });
  co_return std::move(*all);
}

Task<std::vector<ShadowReport>> shadow_reports(const Fleet& fleet) {
  auto all = std::make_shared<std::vector<ShadowReport>>();
  co_await fleet.on_every_worker([all](Worker& worker) { all->push_back(worker.decider.shadow()->report(true)); });
  co_return std::move(*all);
}

token::TokenRules token_rules(const config::Settings& settings) {
  token::TokenRules rules;
  rules.issuer = settings.auth.issuer;
  rules.audience = settings.auth.audience;
  return rules;
}

Result<std::string> audit_tail(const config::Settings& settings, const crypto::KeyStore& keys, std::string_view query) {
  audit::Filter filter;
  std::size_t limit = 50;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    const std::string value(pair.substr(std::min(equals + 1, pair.size())));
    const auto key = pair.substr(0, equals);
    if (key == "limit") limit = std::clamp<std::size_t>(std::strtoul(value.c_str(), nullptr, 10), 1, 10'000);
    if (key == "principal") filter.principal = value;
    if (key == "server") filter.server = value;
    if (key == "tool") filter.tool = value;
    if (key == "result") filter.result = value;
    if (key == "kind") filter.kind = value;
    if (key == "request_id") filter.request_id = value;
  }
  SP_TRY(const auto lines, audit::tail(settings.audit.path, filter, limit, keys.key(crypto::Purpose::audit_encryption)));
  std::string out = "[";
  for (const auto& line : lines) out += (out.size() > 1 ? "," : "") + line;
  return out + "]";
}

}  // namespace

Limits limits_of(const config::Settings& settings) {
  Limits limits;
  for (const auto& [name, one] : settings.rate) limits.classes[name] = {one.requests, one.window, one.burst};
  return limits;
}

App::App(AppOptions options)
    : options_(std::move(options)),
      log_(clock_, log_options(options_.settings)),
      control_work_(control_io_.get_executor()),
      signals_(control_io_.get_executor()) {}

App::~App() { stop(); }

Result<std::unique_ptr<App>> App::open(AppOptions options) {
  std::unique_ptr<App> app(new App(std::move(options)));
  app->began_ = app->clock_.steady();
  SP_CHECK(app->open_home());
  SP_CHECK(app->open_audit());
  auto& control_writer = app->audit_->writer(static_cast<unsigned>(app->audit_->writers() - 1));
  SP_CHECK(note_restores(app->options_.settings.home, control_writer, app->clock_.wall()));
  app->key_keep_->open_desk();
  SP_CHECK(app->key_keep_->keep_token());
  SP_TRY(app->backups_,
         make_backup_desk(app->options_, app->clock_, app->random_, *app->keys_, *app->repository_,
                          [&a = *app](auto what, bool bad) { a.note("backup", "backup", std::move(what), bad, bad); }));
  app->approvals_ = std::make_unique<ApprovalDesk>(*app);
  SP_CHECK(app->approvals_->open());
  app->vault_ = std::make_unique<VaultKeep>(*app);
  SP_CHECK(app->vault_->open());
  app->access_book_.emplace(*app->repository_);
  app->passwords_.emplace();
  app->aside_.emplace();
  app->workshop_.emplace();
  app->certificates_ = std::make_unique<CertificateDesk>(*app);
  app->certificates_->open();
  SP_CHECK(app->open_control());
  app->api_->deps().key_desk = &app->key_keep_->desk();
  app->api_->deps().certificates = &app->certificates_->store();
  app->api_->deps().certificate_warnings = [&a = *app] { return a.certificates_->warnings(); };
  SP_CHECK(app->build_fleet());
  return app;
}

Result<void> App::open_audit() {
  const auto& settings = options_.settings.audit;
  SP_TRY(auto key, crypto::SigningKey::from_seed(keys_->key(crypto::Purpose::audit_signing)));
  audit::LogOptions options;
  options.dir = settings.path;
  options.writers = worker_count(options_) + 1;  // the last is the control plane's
  options.level = settings.durability == config::AuditDurability::disk ? audit::Level::disk : audit::Level::os;
  options.retention = std::chrono::days(settings.retention_days);
  if (settings.encryption) options.sealing = {keys_->key(crypto::Purpose::audit_encryption), &random_};
  SP_TRY(const auto known, repository_->last_checkpoints(1));
  std::optional<audit::KnownCheckpoint> last;
  if (!known.empty()) last = audit::KnownCheckpoint{known.back().number, known.back().hash};
  SP_TRY(audit_, audit::AuditLog::open(options, std::move(key), last, clock_));
  for (const auto& notice : audit_->notices()) log_.warning("audit", {{"notice", notice}});
  const auto& start = audit_->start();
  return repository_->put_checkpoint({start.number, start.at, start.hash, start.line});
}

Result<void> App::open_control() {
  const auto& settings = options_.settings;
  tokens_.emplace(token_rules(settings));
  control::ControlDeps deps{*repository_,
                            *keys_,
                            clock_,
                            random_,
                            [this](SnapshotPtr snapshot) { return publish(std::move(snapshot)); },
                            [this](ServerRecord server) { return probe(std::move(server)); },
                            [this](std::string name) { return restart(std::move(name)); },
                            token_key_rules(settings),
                            {std::chrono::days(settings.encryption.hash_rotate_days)},
                            {.lifetime = settings.label_lifetime},
                            settings.policy.backend == "opa",
                            [this](auto& key, auto why) { note("disable_key", "key", text_of(key, why), true); }};
  control_ = std::make_unique<control::ControlPlane>(control_io_.get_executor(), std::move(deps));
  BundleAge age(*repository_, clock_, settings);
  SP_CHECK(first_bundle(settings, age, [this](std::string_view why) {
    log_.warning("policy bundle not fetched, the one from before is taken", {{"why", why}});
  }));
  SP_TRY(auto policy, policies_of(settings));
  SP_CHECK(age.check(policy.issued_at));
  SP_TRY(const std::string signer, control_->load(std::move(policy.set), limits_of(settings), session_rules(settings)));
  SP_CHECK(age.keep(policy.issued_at));
  note("rotate_token_keys", "token-key", signer);
  note("read_policies", "policy-version", reading_text(control_->policies().at_start()));
  if (const std::string& fault = control_->policies().fault(); options_.listen && !fault.empty()) {
    return fail(Code::config, fault + "\n  fix: sallyport policy rollback --reason ...");
  }
  for (const auto& collision : control_->snapshot()->catalogue->collisions) {
    log_.warning("two tools share a name on /mcp; the first is kept", {{"collision", collision}});
  }
  const control::AccountRules account_rules = account_rules_of(settings);
  factors_ = std::make_unique<control::SecondFactors>(*control_, *keys_, random_, factor_rules_of(settings));
  accounts_ = std::make_unique<control::Accounts>(*control_, control_->logins(), *tokens_, *passwords_, *factors_,
                                                  random_, clock_, account_rules);
  api::ApiDeps api_deps{
      *control_,
      *accounts_,
      *keys_,
      *factors_,
      *tokens_,
      clock_,
      config::looks_like_secret,
      server_defaults(settings),
      [this] {
        return metrics_->expose() + backups_->metrics() + certificates_->metrics() + doors_->metrics() +
               vault_->metrics() + key_keep_->metrics();
      },
      [this](const Snapshot& snapshot, const auto& warnings) { return status_json(snapshot, warnings); },
      [this] { return started_ && !stopping_ && audit_->healthy(); },
      [this] { return audit_->healthy(); },
      [this](std::string_view server) { return breakers_ && breakers_->of(server)->open(clock_.steady()); },
      [this](std::string_view query) { return audit_tail(options_.settings, *keys_, query); },
      [this](const Snapshot& snapshot, std::string_view credential, WallTime now) {
        return Identity(*tokens_).inspect(snapshot, credential, now);
      }};
  api_deps.access = &*access_book_;
  api_deps.recorded_decisions = [this] { return recorded_decisions(*fleet_); };
  api_deps.shadow_reports = [this] { return shadow_reports(*fleet_); };
  api_deps.aside = &*aside_;
  api_deps.key_grace = settings.auth.api_key_grace;
  api_deps.approvals = &approvals_->store();
  api_deps.vault = &vault_->desk();
  api_deps.backups = backups_.get();
  api_ = std::make_unique<api::Api>(std::move(api_deps));
  return {};
}

Result<void> App::build_fleet() {
  const auto& settings = options_.settings;
  const unsigned workers = worker_count(options_);
  metrics_.emplace(workers + 1, SALLYPORT_VERSION);
  limiter_.emplace(random_);
  breakers_.emplace();
  connections_.emplace(settings.limits.connections, settings.limits.connections_per_address);
  doors_ = std::make_unique<Doors>(*this);
  SP_CHECK(doors_->open());
  http_ = http_settings(settings);
  http_->on_exception = [this](const char* what) { log_.error("exception in a request", {{"what", what}}); };
  fleet_.reset(new Fleet{
      clock_, random_, log_, *metrics_, *limiter_, *redactor_, *keys_, *tokens_, doors_->edge(), {}, {}, {}, {}});
  fleet_->settings.json.bytes_max = settings.limits.body_bytes;
  fleet_->settings.json.depth_max = settings.limits.json_depth;
  constexpr std::size_t kRecordBytes = 1U << 20;
  fleet_->settings.record_bytes = settings.policy_record ? kRecordBytes : 0;
  fleet_->settings.session_idle = settings.sessions.idle;
  fleet_->settings.sessions_per_principal = settings.sessions.max_per_principal;
  fleet_->settings.label_lifetime = settings.label_lifetime;
  fleet_->settings.certificates = certificate_rules(settings);
  fleet_->leave_labels = [this](std::string holder, std::vector<std::string> labels, std::string set_by,
                                std::chrono::seconds longest) {
    auto& desk = control_->labels();
    return run_on<void>(control_->executor(),
                        desk.leave(std::move(holder), std::move(labels), std::move(set_by), longest));
  };
  fleet_->route = [](std::string_view method, std::string_view path) { return api::Api::route(method, path); };
  fleet_->rest = [this](RestRequest request) { return api_->answer(std::move(request)); };
  fleet_->approve = [this](ApprovalClaim claim) { return approvals_->claim(std::move(claim)); };
  fleet_->settings.base_url = approvals_->base_url();
  for (unsigned i = 0; i < workers; ++i) SP_CHECK(build_worker(i));
  for (const auto& unit : units_) fleet_->workers.push_back(&unit->worker);
  return {};
}

Task<void> App::publish(SnapshotPtr snapshot) {
  co_await fleet_->on_every_worker([snapshot](Worker& worker) { worker.take(snapshot); });
  fleet_->known_everywhere(snapshot->epoch);
}

Task<void> App::restart(std::string name) {
  breakers_->forget(name);
  co_await fleet_->on_every_worker([name](Worker& worker) { worker.upstreams.end_server(name); });
}

Task<Result<control::ProbeResult>> App::probe(ServerRecord server) {
  WorkerUnit& unit = *units_.front();
  auto record = std::make_shared<const ServerRecord>(std::move(server));
  auto found = co_await run_on<upstream::ProbeResult>(unit.io.get_executor(),
                                                      upstream::probe(unit.worker.upstreams, record, clock_));
  if (!found) co_return fail(std::move(found).error());
  control::ProbeResult result;
  result.protocol_version = found->info.protocol_version;
  const auto text = [&](std::string_view key) {
    const auto raw = json::member(found->info.server_info, key);
    return raw && json::is_string(*raw) ? json::decode_string(*raw).value_or("") : std::string();
  };
  result.server_name = text("name");
  result.server_version = text("version");
  for (const auto& item : found->tools) {
    if (auto definition = pin::read_definition(item.raw)) result.tools.push_back(std::move(*definition));
    else result.refused.push_back(definition.error().detail);
  }
  co_return result;
}

std::string App::status_json(const Snapshot& snapshot, const std::vector<control::CertificateWarning>& warnings) const {
  json::Writer w;
  const auto up = std::chrono::duration_cast<std::chrono::seconds>(clock_.steady() - began_);
  w.object().member("service", "sallyport").member("version", SALLYPORT_VERSION);
  w.member("address", options_.settings.listen.address).member("port", static_cast<std::uint64_t>(port()));
  w.member("url", config::own_url(options_.settings, port()));
  w.member("uptime_seconds", up.count()).member("workers", units_.size());
  w.member("confinement", launcher::confinement_name(launcher_->confinement()));
  w.member("confinement_reason", launcher_->fallback_reason());
  w.member("audit_healthy", audit_->healthy());
  w.member("connections", static_cast<std::uint64_t>(connections_->open()));
  w.member("home", options_.settings.home).key("collisions").array();
  for (const auto& collision : snapshot.catalogue->collisions) w.value(collision);
  w.end_array().key("certificate_warnings").array();
  for (const auto& one : warnings) w.value(one.text + "; fix: " + one.fix);
  w.end_array().end_object();
  return w.take();
}

}  // namespace sallyport::app
