#include "net/egress_peer.h"

#include <algorithm>

namespace sallyport::net {

Result<std::unique_ptr<EgressPeer>> EgressPeer::make(Executor executor, const Clock& clock, EgressPeerRules rules,
                                                     const Headers& headers) {
  EgressPolicy policy;
  policy.allow_private = rules.allow_private;
  std::unique_ptr<EgressPeer> made(new EgressPeer(executor, clock, rules));
  SP_TRY(made->target_, EgressTarget::make(rules.url, std::move(policy), headers));
  made->sweep_.start();
  return made;
}

EgressPeer::EgressPeer(Executor executor, const Clock& clock, const EgressPeerRules& rules)
    : clock_(clock),
      timeout_(rules.timeout),
      answer_bytes_max_(rules.answer_bytes_max),
      sweep_(executor, clock),
      egress_(executor, sweep_, {.ca_file = rules.ca_file}) {}

Task<Result<EgressResponse>> EgressPeer::fetch(EgressRequest request) {
  request.target = target_;
  request.deadline = std::min(request.deadline, clock_.steady() + timeout_);
  request.limits.body_bytes = answer_bytes_max_;
  co_return co_await egress_.fetch(std::move(request));
}

void EgressPeer::stop() {
  egress_.drop_idle();
  sweep_.stop();
}

}  // namespace sallyport::net
