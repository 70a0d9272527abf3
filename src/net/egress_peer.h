// One place that the gateway asks now and then beside its calls (a store of secrets, a webhook): its target, checked once, with a
// client and a sweep of its own, so that nothing of it is shared with the workers. One executor; stop() before it goes.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "net/egress_client.h"

namespace sallyport::net {

struct EgressPeerRules {
  std::string url;
  bool allow_private = false;
  std::string ca_file{};  // PEM; empty: the system's
  std::chrono::seconds timeout{10};  // of one question
  std::uint64_t answer_bytes_max = 1U << 20;
};

class EgressPeer {
 public:
  // `headers`: of each question (credentials). Errors: those of EgressTarget::make.
  static Result<std::unique_ptr<EgressPeer>> make(Executor executor, const Clock& clock, EgressPeerRules rules,
                                                  const Headers& headers = {});

  [[nodiscard]] const Url& url() const noexcept { return target_->url(); }
  // EgressClient::fetch with the target and the limits of the rules. Its deadline is the rules' timeout, or `request`'s own where
  // that is earlier.
  Task<Result<EgressResponse>> fetch(EgressRequest request);
  void stop();

 private:
  EgressPeer(Executor executor, const Clock& clock, const EgressPeerRules& rules);

  const Clock& clock_;
  std::chrono::seconds timeout_;
  std::uint64_t answer_bytes_max_;
  DeadlineSweep sweep_;
  EgressClient egress_;
  std::shared_ptr<const EgressTarget> target_;
};

}  // namespace sallyport::net
