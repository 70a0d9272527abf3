// The versions of the policies: which sets of modules there were, which one is in force, which one is tried beside it. Each
// change is durable first, then published to every worker, then answered; nothing is awaited between looking and writing, so
// changes come one after the other. One a process, on the control executor only; owned by the ControlPlane.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/policy_store.h"
#include "core/task.h"
#include "model/snapshot.h"

namespace sallyport::control {

using PolicySetPtr = std::shared_ptr<const PolicySet>;

// What the folder, or what ships, held when it was read.
struct PolicyReading {
  PolicyVersion version;
  bool fresh = false;  // it is not what was read the last time: a new version
  bool activated = false;  // and it is in force now
  std::uint64_t former = 0;
};

struct PolicyOrder {
  std::string author;  // principal id
  std::string reason;  // 1 to 500 bytes
  bool force = false;  // though it lacks a package that is asked, and so refuses everything
};

struct PolicyMove {
  PolicyVersion version;
  std::uint64_t former = 0;
};

struct PolicyList {
  std::vector<PolicyVersion> versions;  // the newest first
  PolicyState state;
};

class PolicyShelf {
 public:
  using Publish = std::function<Task<Result<void>>(PolicySetPtr active, PolicySetPtr shadow)>;

  // `publish` returns when every worker decides by them. All outlive the shelf.
  PolicyShelf(PolicyStore& store, const Clock& clock, Publish publish);

  // Before any worker runs. `found`: what the folder or what ships holds, with its source; compiled. A version in force that
  // does not compile stays in force and refuses everything (active()->compiled is null, fault() says why).
  Result<void> load(std::vector<PolicyVersion> versions, PolicyState state, PolicySet found);
  [[nodiscard]] const PolicyReading& at_start() const noexcept { return at_start_; }
  [[nodiscard]] PolicySetPtr active() const noexcept { return active_; }
  [[nodiscard]] PolicySetPtr shadow() const noexcept { return shadow_; }  // null: none
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

  // What a reload found; the caller publishes. The same as at the last reading changes nothing, so that what was put in force
  // since then stays. What ships never takes the place of what somebody put in force.
  Result<PolicyReading> read(PolicySet found, std::string_view reason);

  [[nodiscard]] PolicyList list() const;
  Result<PolicyModules> modules(std::uint64_t number);  // not_found

  // A candidate: compiled, kept, not in force. validation: a bad name, too much (256 files, 1 MiB), or a fault, with file, line, column.
  Task<Result<PolicyVersion>> add(PolicyModules modules, PolicyOrder order);
  // not_found; conflict: it is in force, does not compile here, or lacks a package and nobody says force.
  Task<Result<PolicyMove>> activate(std::uint64_t number, PolicyOrder order);
  // To what was in force before, or to a number; what that one followed stays, so that the next goes one further back.
  Task<Result<PolicyMove>> roll_back(std::optional<std::uint64_t> to, PolicyOrder order);
  Task<Result<void>> remove(std::uint64_t number);  // conflict: it was in force, or is tried
  // Tries a version beside the one in force; 0: none any more. not_found, conflict.
  Task<Result<PolicyVersion>> set_shadow(std::uint64_t number);

 private:
  [[nodiscard]] const PolicyVersion* find(std::uint64_t number) const;
  PolicyVersion make(const PolicyModules& modules, std::string source, PolicyOrder order);
  [[nodiscard]] std::vector<std::uint64_t> surplus(const PolicyState& state) const;
  Result<void> write(std::vector<PolicyVersion> versions, PolicyState state,
                     std::optional<std::pair<std::uint64_t, PolicyModules>> modules = {});
  Result<PolicySetPtr> compiled(const PolicyVersion& version, bool force);
  PolicySetPtr set_of(const PolicyVersion& version, PolicyModules modules,
                      std::shared_ptr<const policy::Compiled> compiled);
  Result<void> restore();
  Task<Result<PolicyMove>> put_in_force(PolicyVersion version, PolicyOrder order, bool back);

  PolicyStore& store_;
  const Clock& clock_;
  Publish publish_;
  std::vector<PolicyVersion> versions_;  // by number
  PolicyState state_;
  PolicySetPtr active_ = std::make_shared<const PolicySet>();
  PolicySetPtr shadow_;
  std::string fault_;
  PolicyReading at_start_;
  std::uint64_t epoch_ = 0;
};

}  // namespace sallyport::control
