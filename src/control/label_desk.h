// What calls leave with their callers (docs/policy.md, Labels): kept in the store and in the Snapshot, set before a tool
// server is touched, cleared by people. Part of the control plane, on its executor only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"
#include "model/snapshot.h"

namespace sallyport::control {

// What the desk needs of the Repository; committed before it returns.
class LabelStore {
 public:
  LabelStore() = default;
  LabelStore(const LabelStore&) = delete;
  LabelStore& operator=(const LabelStore&) = delete;
  virtual ~LabelStore() = default;
  // All that calls have left with `holder`; none: it is forgotten.
  virtual Result<void> put_labels(std::string_view holder, const LabelsOfOne& labels) = 0;
  virtual Result<void> prune_labels(WallTime now) = 0;  // those whose time is over
};

struct LabelRules {
  std::chrono::seconds lifetime{86'400};
  std::size_t holders_max = 10'000;  // more principals than that carry no labels: their calls are refused
};

class LabelDesk {
 public:
  // Makes the labels part of what every worker decides by; returns when every worker has them.
  using Publish = std::function<Task<Result<void>>(std::shared_ptr<const Labels>)>;
  LabelDesk(LabelStore& store, const Clock& clock, LabelRules rules, Publish publish);

  void load(std::map<std::string, LabelsOfOne, std::less<>> stored);
  [[nodiscard]] const std::shared_ptr<const Labels>& all() const noexcept { return all_; }

  // `holder` (Principal::id) carries `names` for the whole lifetime from the end on of a call that begins now and lasts `longest` at
  // most; set_by: "server/tool". Done when it is durable and known to every worker. Errors: storage; limit: there are too many
  // holders, or labels of this one.
  Task<Result<void>> leave(std::string holder, std::vector<std::string> names, std::string set_by,
                           std::chrono::seconds longest);
  // Of principals that are gone, with their labels in the store: what is left.
  std::shared_ptr<const Labels> without(const std::vector<std::string>& holders);
  // Every few seconds: whose labels have all run out gives up its place.
  Task<Result<void>> sweep();
  // Takes `name`, or all (empty) away; which ones these were. not_found: it carries none of that name.
  Task<Result<std::vector<std::string>>> clear(std::string holder, std::string name);

 private:
  [[nodiscard]] LabelsOfOne unexpired(const std::string& holder) const;
  Result<void> make_room(Labels& labels);
  Task<Result<void>> keep(std::string holder, LabelsOfOne mine);

  LabelStore& store_;
  const Clock& clock_;
  LabelRules rules_;
  Publish publish_;
  std::shared_ptr<const Labels> all_ = std::make_shared<const Labels>();
};

}  // namespace sallyport::control
