#include "engines/decide/explain.h"

#include "engines/decide/witness.h"

namespace sallyport {
namespace {

constexpr int kNotingTakes = 10;  // times as long as deciding alone, at most

class Notes final : public PolicyWitness {
 public:
  explicit Notes(std::vector<AskedPolicy>& out) : out_(out) {}

  void asking(policy::PolicyEngine& engine) override { policy::note_lines(engine, true); }

  void asked(policy::PolicyEngine& engine, const AccessRequest& request, std::string_view package,
             std::string_view input_json, std::optional<std::string_view> arguments_json,
             const Result<policy::PolicyAnswer>& answer) override {
    AskedPolicy one{.action = request.action,
                    .phase = request.phase,
                    .what = policy::explained(engine, package, input_json, arguments_json, answer)};
    if (request.tool != nullptr) {
      one.server = request.tool->server;
      one.tool = request.tool->name;
    } else if (request.server != nullptr) {
      one.server = request.server->name;
    }
    out_.push_back(std::move(one));
  }

 private:
  std::vector<AskedPolicy>& out_;
};

}  // namespace

// Twice: an engine that notes lines takes longer, and must not run into the budget where a request would not.
Explanation explain(const Snapshot& snapshot, const AccessRequest& request) {
  Explanation out;
  DeciderSettings settings{.memo_entries = 0};
  out.decision = Decider(settings).decide(snapshot, request);
  Notes notes(out.asked);
  settings.policy_budget *= kNotingTakes;
  settings.witness = &notes;
  const Decision again = Decider(settings).decide(snapshot, request);
  out.steady = again.allow == out.decision.allow && again.rule_id == out.decision.rule_id;
  return out;
}

}  // namespace sallyport
