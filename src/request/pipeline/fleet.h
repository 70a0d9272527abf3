// What the workers share, and what the pipeline may use up. Made by app before the first worker, outlives the last; each
// part is immutable or made for many threads.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "core/task.h"
#include "crypto/key_store.h"
#include "engines/rate/limiter.h"
#include "json/document.h"
#include "model/approval.h"
#include "model/rest.h"
#include "request/audit/audit.h"
#include "request/identity/certificate.h"
#include "request/listener/edge.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace sallyport {

class Worker;
namespace net {
class TlsServer;
}
namespace token {
class TokenCodec;
}

struct PipelineSettings {
  json::ReadLimits json;
  std::chrono::milliseconds session_idle{3'600'000};
  std::size_t sessions_per_principal = 64;
  std::chrono::milliseconds keep_alive{15'000};
  std::size_t list_page = 1000;  // items of a list before a cursor is given
  std::chrono::milliseconds list_timeout{15'000};
  std::chrono::seconds label_lifetime{86'400};
  std::size_t record_bytes = 0;  // of a worker, for decisions kept for a replay; 0: none
  std::string base_url = {};  // of links for people, without the slash at its end
  CertificateRules certificates = {};
};

struct Fleet {
  const Clock& clock;
  Random& random;
  telemetry::Log& log;
  telemetry::Metrics& metrics;
  rate::Limiter& limiter;
  const audit::Redactor& redactor;
  const crypto::KeyStore& keys;
  const token::TokenCodec& tokens;
  const Edge& edge;
  PipelineSettings settings;
  std::vector<Worker*> workers;
  std::function<RestRoute(std::string_view method, std::string_view path)> route;
  std::function<Task<RestAnswer>(RestRequest)> rest;
  // LabelDesk::leave, from any worker: returns when every worker decides by them.
  std::function<Task<Result<void>>(std::string holder, std::vector<std::string> labels, std::string set_by,
                                   std::chrono::seconds longest)>
      leave_labels = {};
  std::atomic<std::uint64_t> everywhere{1};  // epoch of a Snapshot that every worker has taken, or a newer one
  std::function<Task<Result<Approval>>(ApprovalClaim)> approve = {};  // control::Approvals::claim

  void known_everywhere(std::uint64_t epoch) {
    std::uint64_t known = everywhere.load();
    while (known < epoch && !everywhere.compare_exchange_weak(known, epoch)) {
    }
  }
  [[nodiscard]] unsigned home_of(std::string_view principal_id) const;
  // Does `fn(worker)` on every worker's thread and returns when all have.
  Task<void> on_every_worker(std::function<void(Worker&)> fn) const;
};

}  // namespace sallyport
