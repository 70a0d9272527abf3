#include "app/certificate_desk.h"

#include "app/metric_text.h"
#include "app/worker_unit.h"

namespace sallyport::app {
namespace {

control::CertificateRules rules_of(const config::CertificateSettings& settings) {
  control::CertificateRules rules;
  rules.authority_life = std::chrono::days(settings.authority_days);
  rules.leaf_life = std::chrono::days(settings.leaf_days);
  rules.crl_life = std::chrono::days(settings.crl_days);
  rules.key_type = crypto::certificate_key_type(settings.key_type).value_or(rules.key_type);
  return rules;
}

control::AcmeRules rules_of(const config::AcmeSettings& settings) {
  control::AcmeRules rules;
  rules.enabled = settings.enabled;
  rules.program = settings.program;
  rules.directory = settings.directory;
  rules.email = settings.email;
  for (const std::string& host : settings.hosts) {
    const auto name = crypto::alt_name(crypto::AltNameKind::dns, host);  // in small letters, as certificates have them
    rules.hosts.push_back(name ? name->value : host);
  }
  rules.tls_alpn = settings.challenge == "tls-alpn-01";
  rules.port = settings.port;
  rules.eab_kid = settings.eab_kid;
  rules.ca = settings.ca;
  return rules;
}

// What an ACME client said, for the log: its last lines, printable.
std::string last_words(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (text.size() > 600) text = "..." + text.substr(text.size() - 600);
  for (char& c : text) c = c < ' ' || c == '\x7f' ? ' ' : c;
  return text;
}

std::int64_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

App::CertificateDesk::CertificateDesk(App& app)
    : app_(app),
      store_({app.options_.settings.home + "/certs", app.keys_->key(crypto::Purpose::certificates), app.random_,
              app.clock_,
              [this](std::string_view what, const control::IssuedCertificate& about, std::string_view by) {
                return note(what, about, by);
              }},
             rules_of(app.options_.settings.certificates)),
      acme_(rules_of(app.options_.settings.acme)),
      alerts_(*app.repository_, [this](const auto& warning) { tell(warning); }) {
  store_.on_change([this] { measure(); });
}

void App::CertificateDesk::open() {
  if (const auto opened = store_.open(); !opened) {
    unusable_ = opened.error().detail;
    return app_.log_.error("the certificate authority cannot be used", {{"why", opened.error().detail}});
  }
  measure();
  if (app_.options_.listen) tick();  // what fell due while nobody served, before it is shown to anyone
}

void App::CertificateDesk::tick() {
  const auto usable = store_.refresh();
  unusable_ = usable ? "" : usable.error().detail;
  const auto renewed = store_.tick();
  if (!renewed) {
    ++failures_;
    renewal_failure_ = renewed.error().detail;
    return app_.log_.error("certificates not renewed", {{"why", renewed.error().detail}});
  }
  const bool due =
      store_.is_due(control::CertificateKind::server) || store_.is_due(control::CertificateKind::authority);
  if (!due) renewal_failure_.clear();  // else it waits for its next try
  for (const auto& one : *renewed) {
    app_.log_.info("certificate renewed", {{"serial", one.serial}, {"until", iso_time(one.not_after)}});
  }
}

Task<void> App::CertificateDesk::make_due_key() {
  const auto type = store_.key_due();
  if (type != crypto::CertificateKeyType::rsa_3072) co_return;  // of EC it takes a moment
  auto key = co_await app_.aside_->run<std::shared_ptr<crypto::CertificateKey>>(
      "system", [] { return crypto::fresh_certificate_key(crypto::CertificateKeyType::rsa_3072); });
  if (key) store_.stock(*type, std::move(**key));
}

void App::CertificateDesk::tick_beside() {
  if (std::exchange(ticking_, true)) return;
  asio::co_spawn(app_.control_io_, make_due_key(), [this](const std::exception_ptr& error) {
    ticking_ = false;
    if (error) app_.log_.error("making a key ended by an exception");
    tick();
  });
}

bool App::CertificateDesk::acme_due() const {
  const WallTime now = app_.clock_.wall();
  if (!acme_.enabled || !app_.options_.listen || asking_ || now < ask_at_) return false;
  const auto* const server = store_.in_use(control::CertificateKind::server);
  if (server == nullptr || !server->foreign || server->renew_at <= now) return true;
  return !std::ranges::all_of(acme_.hosts, [&](const std::string& host) {
    return std::ranges::find(server->alt_names, crypto::AltName{crypto::AltNameKind::dns, host}) !=
           server->alt_names.end();
  });
}

void App::CertificateDesk::ask_if_due() {
  if (!acme_due()) return;
  asking_ = true;
  asio::co_spawn(app_.control_io_, get_certificate(), [this](const std::exception_ptr& error) {
    asking_ = false;
    if (error) app_.log_.error("asking for a certificate ended by an exception");
  });
}

namespace {

Result<void> judge(const control::ChildEnd& end) {
  if (end.timed_out) return fail(Code::upstream_timeout, "the ACME client took too long: " + last_words(end.output));
  if (end.exit_code != 0) return fail(Code::upstream_refused, "the ACME client failed: " + last_words(end.output));
  return {};
}

// Open for as long as the client may be asked.
class OpenGate {
 public:
  OpenGate(std::shared_ptr<net::ChallengeGate> gate, std::uint16_t port) : gate_(std::move(gate)) { gate_->open(port); }
  OpenGate(const OpenGate&) = delete;
  OpenGate& operator=(const OpenGate&) = delete;
  ~OpenGate() { gate_->close(); }

 private:
  std::shared_ptr<net::ChallengeGate> gate_;
};

}  // namespace

Result<control::AcmeRun> App::CertificateDesk::acme_run() const {
  const auto& settings = app_.options_.settings;
  control::AcmeRun run;
  if (acme_.tls_alpn && acme_.port == 0) {
    SP_TRY(run.inner_port, control::free_loopback_port());
  }
  if (control::needs_binding(acme_, settings.home + "/certs")) {
    SP_TRY(run.eab_hmac, config::resolve_reference(settings.acme.eab_hmac, settings.home, app_.options_.environment));
  }
  return run;
}

Task<Result<control::AcmeCertificate>> App::CertificateDesk::ask() {
  const std::string folder = app_.options_.settings.home + "/certs";
  SP_CO_TRY(const control::AcmeRun run, acme_run());
  SP_CO_TRY(auto order, control::acme_order(acme_, folder, run));
  const OpenGate open(challenges_, run.inner_port);
  const auto end = co_await control::run_child(app_.control_io_.get_executor(), std::move(order));
  if (!end) {
    if (end.error().code != Code::not_found) co_return fail(end.error());
    co_return fail(Code::config, end.error().detail + "; fix: apt-get install lego, or set acme.program");
  }
  SP_CO_CHECK(judge(*end));
  co_return control::take_acme_certificate(acme_, folder, app_.clock_.wall());
}

// An authority may issue what is due again at once, whatever it was asked for.
constexpr std::chrono::hours kBetweenOrders{1};

Task<void> App::CertificateDesk::get_certificate() {
  const auto got = co_await ask();
  const auto taken = got ? store_.adopt(got->chain_pem, got->key_pem, "acme") : fail(got.error());
  if (taken) {
    refusals_ = 0;
    ask_at_ = app_.clock_.wall() + kBetweenOrders;
    acme_failure_.clear();
    app_.log_.info("certificate from the ACME authority",
                   {{"serial", taken->serial}, {"until", iso_time(taken->not_after)}});
    co_return;
  }
  // Public authorities count failures: five of an hour may close a name for a while.
  ask_at_ = app_.clock_.wall() + std::min<std::chrono::minutes>(std::chrono::minutes(2) * (1 << std::min(refusals_, 8)),
                                                                std::chrono::hours(6));
  ++refusals_;
  acme_failure_ = taken.error().detail;
  ++failures_;
  control::IssuedCertificate about;
  about.kind = control::CertificateKind::server;
  about.name = acme_.hosts.front();
  (void)note("renew_failed", about, "acme");
  app_.log_.error("no certificate from the ACME authority",
                  {{"why", taken.error().detail}, {"again_at", iso_time(ask_at_)}});
}

// Before it happens; what no request's own record tells too, that the gateway renewed by itself.
Result<void> App::CertificateDesk::note(std::string_view what, const control::IssuedCertificate& about,
                                        std::string_view by) {
  audit::AuditRecord record;
  record.time = app_.clock_.wall();
  record.event_type = audit::kSecurity;
  record.principal = by;
  record.action = "certificate_" + std::string(what);
  record.result = what == "renew_failed" ? "error" : "success";
  record.reason = std::string(name_of(about.kind)) + " " + about.name;
  record.evidence = "serial=" + about.serial + " sha256=" + about.fingerprint_sha256 +
                    " until=" + iso_time(about.not_after) + (about.user_id.empty() ? "" : " user=" + about.user_id);
  auto written = app_.audit_->writer(static_cast<unsigned>(app_.audit_->writers() - 1)).write(record);
  if (!written) app_.log_.error("audit record not written", {{"why", written.error().detail}});
  return written;
}

void App::CertificateDesk::measure() {
  const auto ends = [this](control::CertificateKind kind) {
    const auto* const one = store_.in_use(kind);
    return one == nullptr ? 0 : seconds_of(one->not_after);
  };
  authority_ends_ = ends(control::CertificateKind::authority);
  server_ends_ = ends(control::CertificateKind::server);
  list_ends_ = store_.ready() ? seconds_of(store_.index().crl_next) : 0;
}

std::string App::CertificateDesk::metrics() const {
  std::string out;
  constexpr std::string_view kEnds = "sallyport_certificate_expiry_timestamp_seconds";
  add_metric(out, kEnds, "When what the built-in authority made ends (S2-52).", "gauge");
  using Row = std::pair<std::string_view, std::int64_t>;
  for (const auto& [what, ends] :
       {Row{"authority", authority_ends_}, Row{"server", server_ends_}, Row{"revocations", list_ends_}}) {
    if (ends == 0) continue;
    out.append(kEnds).append("{certificate=\"").append(what).append("\"} ").append(std::to_string(ends)).append("\n");
  }
  constexpr std::string_view kFailures = "sallyport_certificate_renewal_failures_total";
  add_metric(out, kFailures, "Renewals of certificates or of the revocation list that failed.", "counter");
  out.append(kFailures).append(" ").append(std::to_string(failures_)).append("\n");
  constexpr std::string_view kChallenges = "sallyport_acme_challenges_total";
  add_metric(out, kChallenges, "Connections of tls-alpn-01, handed on to the ACME client or too many.", "counter");
  out.append(kChallenges).append("{outcome=\"passed\"} ").append(std::to_string(challenges_->passed())).append("\n");
  out.append(kChallenges).append("{outcome=\"refused\"} ").append(std::to_string(challenges_->refused())).append("\n");
  return out;
}

}  // namespace sallyport::app
