// The TLS of the listener as the settings want it: reads and checks certificate, key, authorities and lists, hands each new
// context to every worker, keeps the old one where a new file is broken and says why (good authorities and revocation lists
// are taken up all the same), changes the ticket keys, and warns before the certificate ends. Owned by App. open() before
// there are threads; reload() and watch() on the control executor; metrics() and status() on any thread.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "config/settings.h"
#include "core/task.h"
#include "net/tls_server.h"
#include "telemetry/log.h"

namespace sallyport::app {

struct TlsDeps {
  const config::Settings& settings;
  const Clock& clock;
  Random& random;
  telemetry::Log& log;
  std::function<void(std::string_view action, std::string text, bool warn)> note;  // log and audit
  std::function<Task<void>(std::shared_ptr<const net::TlsServer>)> hand_out;  // returns when every worker has it
};

class TlsDesk {
 public:
  // What `deps` refers to outlives it.
  explicit TlsDesk(TlsDeps deps);

  // Error: config, with the file, the reason and the fix; nothing may be served then.
  Result<void> open();
  [[nodiscard]] const std::shared_ptr<const net::TlsServer>& server() const noexcept { return server_; }
  // Reads the files anew; when it returns, new handshakes meet what it read. A bad OCSP response is left out. Errors: those
  // of open(); the old certificate stays then, with the new client_ca and crl where those are good.
  Task<Result<void>> reload();
  // Every few seconds: reload() where a file has changed, other ticket keys once an hour, warnings.
  Task<void> watch();
  [[nodiscard]] std::string metrics() const;  // lines of the Prometheus exposition

 private:
  // Of one file: device, inode, size, time of change in ns; zeros where it is not there.
  using Stamp = std::array<std::uint64_t, 4>;
  using Stamps = std::array<Stamp, 5>;
  [[nodiscard]] Stamps stamps() const;
  Result<std::shared_ptr<const net::TlsServer>> read();
  Result<net::TlsMaterial> read_material() const;
  Result<void> read_clients(net::TlsMaterial& out) const;
  Result<std::shared_ptr<const net::TlsServer>> make_without_ocsp(net::TlsMaterial& material, const Error& why);
  Result<std::shared_ptr<const net::TlsServer>> with_clients();
  Task<void> keep_certificate(const Error& why);
  void take(std::shared_ptr<const net::TlsServer> server, std::string_view what);
  void warn_of_expiry();
  [[nodiscard]] std::string described() const;

  TlsDeps deps_;
  std::shared_ptr<const net::TicketKeys> tickets_;
  std::shared_ptr<const net::TlsServer> server_;
  Stamps read_stamps_{};
  SteadyTime tickets_made_{};
  bool had_crl_ = false;
  int warned_ = 0;  // how urgently, of the certificate that is served
  SteadyTime warned_at_{};
  std::atomic<std::int64_t> expires_{0}, reloads_{0}, failures_{0};
};

}  // namespace sallyport::app
