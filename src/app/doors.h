// What stands at the gateway's doors: who may knock (Edge), TLS, the plain port beside it. Made before the workers, on the
// main thread; then each part as it says itself.
#pragma once

#include <optional>

#include "app/app.h"
#include "app/tls.h"

namespace sallyport::app {

class App::Doors {
 public:
  explicit Doors(App& app) : app_(app) {}
  // Reads what TLS needs. Errors: config.
  Result<void> open();
  [[nodiscard]] const Edge& edge() const noexcept { return *edge_; }
  [[nodiscard]] TlsDesk* tls() noexcept { return tls_ ? &*tls_ : nullptr; }  // null: plain HTTP
  [[nodiscard]] std::string metrics() const { return tls_ ? tls_->metrics() : std::string(); }

  [[nodiscard]] net::ArrivalSettings arrival() const;
  // Gives a new worker's listener what it serves with, the first worker the plain port too.
  void furnish(WorkerUnit& unit);

 private:
  Task<void> hand_out(std::shared_ptr<const net::TlsServer> server);

  App& app_;
  std::optional<Edge> edge_, plain_edge_;
  std::optional<TlsDesk> tls_;
};

}  // namespace sallyport::app
