// What evaluate and explain share: one question to a policy in force. Internal to api.
#pragma once

#include <chrono>
#include <string>

#include "api/route.h"

namespace sallyport::api {

inline constexpr std::chrono::milliseconds kPolicyBudget{10};  // as long as a decision may take (DeciderSettings)
inline constexpr std::size_t kPolicyInputMax = 256U
                                               << 10;  // reading it takes a worker's time, and no budget bounds that

struct PolicyQuestionAsked {
  std::string package;
  std::string input;  // JSON object
};

// policy_name and input of the body. Code::validation: too large; Code::not_found: no such package in force.
Result<PolicyQuestionAsked> read_policy_question(const Call& call);

}  // namespace sallyport::api
