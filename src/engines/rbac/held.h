// The roles of one principal, found once for the many questions of a list: looking each up by its name, for each tool, was
// more than half of its time. Not thread-safe; owned by a Decider.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engines/rbac/rbac.h"

namespace sallyport::rbac {

class HeldRoles {
 public:
  // Finds the roles of `principal` unless it found these before: the same set in force and the same names, compared. False: it had.
  bool resolve(const std::shared_ptr<const Roles>& roles, const Principal& principal);

  // What its roles give: `agent` by itself, since what it gives is executed over MCP only (C6). A grant that many roles have
  // stands there once.
  struct Given {
    PermissionSet permissions;
    std::vector<Grant> grants;
  };
  [[nodiscard]] const Given& agent() const noexcept { return agent_; }
  [[nodiscard]] const Given& others() const noexcept { return others_; }
  // all_roles() of it. Valid until the next resolve().
  [[nodiscard]] const std::vector<std::string_view>& all() const noexcept { return all_; }

 private:
  std::shared_ptr<const Roles> roles_;  // kept: its address stays its own
  std::vector<std::string> names_;
  Given agent_;
  Given others_;
  std::vector<std::string_view> all_;
};

// effective_on() of the principal that `held` was resolved for.
PermissionSet effective_on(const Principal& principal, const HeldRoles& held, std::string_view server,
                           std::string_view tool, Channel channel) noexcept;

}  // namespace sallyport::rbac
