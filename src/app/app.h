// The composition root: builds everything once, in order, hands references down, and ends it in reverse order. No logic
// of its own. Made on the main thread; start() starts the workers' threads, stop() joins them.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include "api/api.h"
#include "config/config.h"
#include "control/control_plane.h"
#include "launcher/launcher.h"
#include "net/tls_workshop.h"
#include "request/listener/listener.h"
#include "request/pipeline/pipeline.h"
#include "request/upstream/breakers.h"
#include "request/upstream/era_cache.h"
#include "storage/home_lock.h"
#include "storage/sqlite_repository.h"

namespace sallyport::app {
struct AppOptions {
  config::Settings settings;
  config::Environment environment;
  bool listen = true;     // false: the CLI with no server running
  bool create = false;    // init: a missing key file is made
};

class App {
 public:
  // Takes the home's lock, forks the launcher, opens keys, store and audit. The process must have one thread.
  static Result<std::unique_ptr<App>> open(AppOptions options);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  Result<void> start();  // binds, then starts the threads
  void wait_for_signal();  // SIGTERM or SIGINT; SIGHUP reloads what may change while running
  void stop();  // accepts no more, finishes or cancels what was accepted, ends upstreams, closes the audit

  // Runs `task` on the control executor and waits; the main thread only.
  template <class T>
  Result<T> run_control(Task<Result<T>> task);
  // A REST request by the local administrator, in process.
  RestAnswer local_request(std::string_view method, std::string_view path, std::string_view query, std::string body);
  [[nodiscard]] control::ControlPlane& control() noexcept { return *control_; }
  [[nodiscard]] control::Accounts& accounts() noexcept { return *accounts_; }
  [[nodiscard]] const config::Settings& settings() const noexcept { return options_.settings; }
  [[nodiscard]] std::uint16_t port() const noexcept;

 private:
  struct WorkerUnit;
  class ApprovalDesk;
  class KeyKeep;
  class VaultKeep;
  class CertificateDesk;
  class Doors;
  explicit App(AppOptions options);
  Result<void> open_home();
  Result<void> open_audit(), open_control(), build_fleet();
  Result<void> build_worker(unsigned index);
  Task<Result<void>> reload();
  Task<void> declare_servers(), tick_control();
  void note(std::string_view action, std::string_view subject, std::string text, bool warn = false, bool bad = false);
  Task<void> tick_worker(WorkerUnit& unit);
  void checkpoint();
  std::string status_json(const Snapshot& snapshot, const std::vector<control::CertificateWarning>& warnings) const;
  Task<Result<control::ProbeResult>> probe(ServerRecord server);
  Task<void> restart(std::string name), publish(SnapshotPtr snapshot);
  AppOptions options_;
  SystemClock clock_;
  SystemRandom random_;
  telemetry::Log log_;
  std::optional<storage::HomeLock> lock_;
  std::optional<launcher::Launcher> launcher_;
  std::optional<crypto::KeyStore> keys_;
  std::unique_ptr<storage::SqliteRepository> repository_;
  std::unique_ptr<audit::AuditLog> audit_;
  std::optional<audit::Redactor> redactor_;
  std::optional<token::TokenCodec> tokens_;
  std::optional<telemetry::Metrics> metrics_;
  std::optional<rate::Limiter> limiter_;
  std::unique_ptr<Doors> doors_;
  std::optional<upstream::Breakers> breakers_;
  upstream::EraCache eras_{clock_};
  std::optional<ConnectionLimits> connections_;
  std::optional<net::ServerSettings> http_;
  asio::io_context control_io_{1};
  asio::executor_work_guard<Executor> control_work_;
  asio::basic_signal_set<Executor> signals_;
  std::optional<control::PasswordPool> passwords_;
  std::optional<Aside> aside_;
  std::optional<net::TlsWorkshop> workshop_;
  std::unique_ptr<backup::Desk> backups_;
  std::unique_ptr<KeyKeep> key_keep_;
  std::unique_ptr<control::ControlPlane> control_;
  std::optional<control::AccessBook> access_book_;
  std::unique_ptr<ApprovalDesk> approvals_;
  std::unique_ptr<VaultKeep> vault_;
  std::unique_ptr<CertificateDesk> certificates_;
  std::unique_ptr<control::SecondFactors> factors_;
  std::unique_ptr<control::Accounts> accounts_;
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<Fleet> fleet_;
  std::vector<std::unique_ptr<WorkerUnit>> units_;
  std::thread control_thread_;
  std::atomic<bool> stopping_{false}, started_{false};
  SteadyTime began_{};
};

template <class T>
Result<T> App::run_control(Task<Result<T>> task) {
  std::promise<Result<T>> promise;
  asio::co_spawn(control_io_, std::move(task), [&promise](const std::exception_ptr& error, Result<T> result) {
    promise.set_value(error ? Result<T>(fail(Code::internal, "exception in the control plane")) : std::move(result));
  });
  return promise.get_future().get();
}

}  // namespace sallyport::app
