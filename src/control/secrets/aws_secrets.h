// Secrets of AWS Secrets Manager (S4-17, `get_secret_value`): one signed POST each (control/secrets/aws_signature.h). One a
// process, on the control executor only; stop() before it goes. Reads alone.
#pragma once

#include <memory>
#include <string>

#include "control/secret_source.h"
#include "control/secrets/aws_signature.h"
#include "core/clock.h"
#include "core/task.h"
#include "net/egress_peer.h"

namespace sallyport::control {

struct AwsRules {
  std::string region;
  std::string endpoint;  // empty: https://secretsmanager.REGION.amazonaws.com
  AwsCredentials credentials;
  std::string ca_file;  // PEM; empty: the system's
  bool allow_private = false;
  std::chrono::seconds kept_for{300};
};

class AwsSecrets final : public SecretSource {
 public:
  // Errors: config (a region that is none), egress_refused (the endpoint).
  static Result<std::unique_ptr<AwsSecrets>> make(Executor executor, const Clock& clock, AwsRules rules);

  // Errors as those of KvSecrets::fetch.
  Task<Result<Secret>> fetch(std::string name, SecretUse use) override;
  [[nodiscard]] std::chrono::seconds kept_for() const override { return rules_.kept_for; }
  Task<void> stop() override;

 private:
  AwsSecrets(const Clock& clock, AwsRules rules, std::unique_ptr<net::EgressPeer> peer)
      : clock_(clock), rules_(std::move(rules)), peer_(std::move(peer)) {}
  Task<Result<std::string>> ask(std::string body, SteadyTime deadline);

  const Clock& clock_;
  AwsRules rules_;
  std::unique_ptr<net::EgressPeer> peer_;
};

}  // namespace sallyport::control
