// The built-in certificate authority as the rest uses it: its folder <home>/certs, its audit records, its metrics, its clock.
// Internal.
#pragma once

#include <atomic>
#include <memory>

#include "app/app.h"
#include "control/acme.h"
#include "control/certificate_terms.h"
#include "control/certificates.h"
#include "net/challenge_gate.h"

namespace sallyport::app {

class App::CertificateDesk {
 public:
  explicit CertificateDesk(App& app);
  // Before any thread runs. A folder that cannot be used is said in the log, and keeps nobody from serving: whoever asks the
  // authority for something hears it again.
  void open();
  [[nodiscard]] control::Certificates& store() noexcept { return store_; }
  // Every minute, on the control executor: what has come to its time is renewed; first its key is made, beside that executor.
  void tick_beside();
  void tick();
  [[nodiscard]] Result<void> try_port() const { return control::try_acme_port(acme_); }
  void ask_if_due();  // the same of ACME alone; every second
  // What ends soon or has ended of what the gateway stands on, and why. On the control executor, once the doors are there.
  [[nodiscard]] std::vector<control::CertificateWarning> warnings() const;
  void watch();  // every few seconds, the same: tells it once
  [[nodiscard]] std::string metrics() const;  // Prometheus text; any thread
  [[nodiscard]] net::ChallengeGate& challenges() noexcept { return *challenges_; }

 private:
  Task<void> get_certificate();
  Task<void> make_due_key();
  Task<Result<control::AcmeCertificate>> ask();
  [[nodiscard]] Result<control::AcmeRun> acme_run() const;
  [[nodiscard]] bool acme_due() const;
  Result<void> note(std::string_view what, const control::IssuedCertificate& about, std::string_view by);
  void measure();
  [[nodiscard]] std::vector<control::CertificateTerm> terms() const;
  void tell(const control::CertificateWarning& warning);

  App& app_;
  control::Certificates store_;
  control::AcmeRules acme_;
  control::CertificateAlerts alerts_;
  std::string unusable_;  // why the folder is; empty: it is not
  std::string renewal_failure_, acme_failure_;  // of the last time; empty: it went well
  // Shared with an order that runs: it may outlive this, as what waits on the control executor does.
  std::shared_ptr<net::ChallengeGate> challenges_ = std::make_shared<net::ChallengeGate>();
  bool ticking_ = false;
  bool asking_ = false;  // the authority of acme.directory, now
  WallTime ask_at_{};  // not before
  int refusals_ = 0;  // in a row
  // Seconds since 1970; 0: there is none.
  std::atomic<std::int64_t> authority_ends_{0}, server_ends_{0}, list_ends_{0};
  std::atomic<std::uint64_t> failures_{0};
};

}  // namespace sallyport::app
