// How long the certificates hold that the gateway itself stands on, and what people are told of it in time: state, words, fix.
// Plain values and functions, any thread; but CertificateAlerts, which says each once: the control executor, owned by app.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/repository.h"
#include "core/clock.h"

namespace sallyport::control {

enum class CertificateState : std::uint8_t { good, ends_soon, ends_very_soon, ended };

// Soon: 30 days before, or in the last quarter of a shorter life; very soon: 7 days, or the last tenth. What renews itself does so
// at two thirds of its life: whatever ends soon was not renewed.
[[nodiscard]] CertificateState state_of(WallTime begins, WallTime ends, WallTime now) noexcept;

// One of: "served" (in handshakes), "authority", "server" (kept, not served), "revocations" (the list).
struct CertificateTerm {
  std::string what, name;
  std::string id;  // SHA-256 of the certificate, or the list's number
  WallTime begins{}, ends{};
  std::string renewal_failed;  // why the renewal that is due came to nothing; empty: it did not
  std::string fix;
};

struct CertificateWarning {
  std::string what, name, id;
  std::string_view state;  // "ends_soon", "expired", "renewal_failed"; "unusable": it cannot be looked at
  WallTime ends{};         // the epoch: not known
  std::string text, fix;
};

// Of those that are not good for long, or whose renewal fails. Each once, by the worst that is to be said of it.
[[nodiscard]] std::vector<CertificateWarning> warnings_of(const std::vector<CertificateTerm>& terms, WallTime now);
[[nodiscard]] bool expired(const std::vector<CertificateWarning>& warnings) noexcept;  // any of them, or unusable

// Tells of each certificate once that it ends soon, and once that it has expired; a restart remembers.
class CertificateAlerts {
 public:
  // For log and audit.
  using Tell = std::function<void(const CertificateWarning&)>;
  // `repository` outlives it.
  CertificateAlerts(Repository& repository, Tell tell) : repository_(repository), tell_(std::move(tell)) {}
  // Of all that there is now: what is not among them is forgotten. Errors: those of the repository; it was told all the same.
  Result<void> look(const std::vector<CertificateWarning>& warnings);

 private:
  Repository& repository_;
  Tell tell_;
  std::string told_;
  bool read_ = false, unwritten_ = false;
};

}  // namespace sallyport::control
