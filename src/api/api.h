// The REST API: one table of routes (routes.cc) from which routing, access, checking and documents follow; every
// object is asked for through the one decide(). It knows no HTTP: the door hands it a RestRequest and sends its RestAnswer,
// the CLI without a server does the same in process. Owned by app; any worker's thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/changing.h"
#include "api/idempotency.h"
#include "control/access_book.h"
#include "control/accounts.h"
#include "control/approvals.h"
#include "control/certificate_terms.h"
#include "control/control_plane.h"
#include "control/key_desk.h"
#include "core/aside.h"
#include "core/task.h"
#include "engines/decide/recorder.h"
#include "engines/decide/shadow.h"
#include "model/rest.h"

namespace sallyport::control {
class Certificates;
struct VaultDesk;
}
namespace sallyport::backup {
class Desk;
}

namespace sallyport::api {

using CertificateWarnings = std::vector<control::CertificateWarning>;

// What app hands down; all of it outlives the Api.
struct ApiDeps {
  control::ControlPlane& control;
  control::Accounts& accounts;
  const crypto::KeyStore& keys;
  control::SecondFactors& factors;
  const token::TokenCodec& tokens;
  const Clock& clock;
  std::function<bool(std::string_view name, std::string_view value)> looks_like_secret;
  ServerRecord server_defaults;                                   // what a new server has where its request is silent
  std::function<std::string()> metrics;                           // Prometheus text
  std::function<std::string(const Snapshot&, const CertificateWarnings&)> status;  // JSON object
  std::function<bool()> ready;                                    // may calls be served now?
  std::function<bool()> audit_healthy;  // the last record of each worker was written
  std::function<bool(std::string_view server)> rests;  // its circuit breaker is open
  std::function<Result<std::string>(std::string_view query)> audit_tail;  // JSON array of records, newest last
  // What the door would say of this credential, from whichever client; no use of its session.
  std::function<Result<PrincipalPtr>(const Snapshot&, std::string_view credential, WallTime now)> identify;
  control::AccessBook* access = nullptr;  // who called which tool when
  std::function<Task<std::vector<RecordedDecision>>()> recorded_decisions;
  std::function<Task<std::vector<ShadowReport>>()> shadow_reports;  // one of each worker
  Aside* aside = nullptr;  // for what takes long; never null once app has built it
  control::Approvals* approvals = nullptr;  // on the control executor; never null once app has built it
  control::VaultDesk* vault = nullptr;  // never null once app has built it
  backup::Desk* backups = nullptr;  // never null once app has built it
  control::Certificates* certificates = nullptr;  // the same
  std::function<CertificateWarnings()> certificate_warnings;  // on the control executor
  control::KeyDesk* key_desk = nullptr;  // on the control executor; never null once app has built it
  std::chrono::seconds key_grace{24 * 3600};  // of the old secret of a rotated API key, where the request is silent
};

class Api {
 public:
  explicit Api(ApiDeps deps) : deps_(std::move(deps)) {}

  [[nodiscard]] static RestRoute route(std::string_view method, std::string_view path);
  // Never fails: what goes wrong is an answer.
  Task<RestAnswer> answer(RestRequest request);

  [[nodiscard]] ApiDeps& deps() noexcept { return deps_; }
  [[nodiscard]] Idempotency& idempotency() noexcept { return idempotency_; }
  [[nodiscard]] Changing& changing() noexcept { return changing_; }

 private:
  Idempotency idempotency_;
  Changing changing_;
  ApiDeps deps_;
};

}  // namespace sallyport::api
