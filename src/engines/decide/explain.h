// Why a request is allowed or refused: the Decision that decide() makes of it, and each question that the policy was asked on the way,
// with the rules that were reached. For `policy explain`; makes a Decider of its own, so that none that serves is touched. Any
// thread; up to 0.2 s.
#pragma once

#include <string>
#include <vector>

#include "engines/decide/decide.h"
#include "engines/policy/explain.h"

namespace sallyport {

struct AskedPolicy {
  Permission action{};
  Phase phase{};
  std::string server;
  std::string tool;
  policy::Explained what;
};

struct Explanation {
  Decision decision;
  // In the order in which they were asked. A call is first asked as a list where a rule can tell (law: nothing callable that
  // is not listed); outside of MCP what may be executed must be readable too; a registered tool's answer is followed by that
  // of what it is bound to. Empty where the roles refused.
  std::vector<AskedPolicy> asked;
  bool steady = true;  // asked anew, with more time, the decision was the same
};

Explanation explain(const Snapshot& snapshot, const AccessRequest& request);

}  // namespace sallyport
