// Looks on while a Decider asks the policy, for explain(). Changes nothing; never set where requests are decided.
#pragma once

#include <optional>
#include <string_view>

#include "core/result.h"
#include "engines/decide/decide.h"
#include "engines/policy/policy.h"

namespace sallyport {

class PolicyWitness {
 public:
  virtual ~PolicyWitness() = default;
  virtual void asking(policy::PolicyEngine& engine) = 0;
  // The same engine; what it was asked and what it said.
  virtual void asked(policy::PolicyEngine& engine, const AccessRequest& request, std::string_view package,
                     std::string_view input_json, std::optional<std::string_view> arguments_json,
                     const Result<policy::PolicyAnswer>& answer) = 0;
};

}  // namespace sallyport
