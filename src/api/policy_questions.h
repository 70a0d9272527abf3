// What evaluate and explain share: one question to a policy in force. Internal to api.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "api/route.h"

namespace sallyport::api {

// As long as a decision may take (DeciderSettings). It is spent on ApiDeps::aside, since explaining takes many times as much.
inline constexpr std::chrono::milliseconds kPolicyBudget{10};
inline constexpr std::size_t kPolicyInputMax = 256U << 10;

struct PolicyQuestionAsked {
  std::string package;
  std::string input;  // JSON object
};

// policy_name and input of the body. Code::validation: too large; Code::not_found: no such package in force.
Result<PolicyQuestionAsked> read_policy_question(const Call& call);

// `work` on ApiDeps::aside, in the caller's name: all keys of a person are one caller.
template <class T>
Task<Result<T>> ask_aside(const Call& call, std::function<Result<T>()> work) {
  co_return co_await call.api.deps().aside->run<T>(person_of(call.principal()), std::move(work));
}

// As refuse(); where no place is free, with the words for it and Retry-After.
RestAnswer refuse_question(const Call& call, const Error& error);

}  // namespace sallyport::api
