// The roles of one principal, found once for the many questions of a list: looking each up by its name, for each tool, was
// more than half of its time. Not thread-safe; owned by a Decider.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/rbac/rbac.h"

namespace sallyport::rbac {

class HeldRoles {
 public:
  // Finds the roles of `principal` unless it found these before: the same set in force and the same names, compared.
  void resolve(const std::shared_ptr<const Roles>& roles, const Principal& principal);

  // Those of the principal itself that there are, by the name that it has them under.
  [[nodiscard]] const std::vector<std::pair<std::string_view, const Role*>>& own() const noexcept { return own_; }
  // all_roles() of it. Valid until the next resolve().
  [[nodiscard]] const std::vector<std::string_view>& all() const noexcept { return all_; }

 private:
  std::shared_ptr<const Roles> roles_;  // kept: its address stays its own
  std::vector<std::string> names_;
  std::vector<std::pair<std::string_view, const Role*>> own_;
  std::vector<std::string_view> all_;
};

// effective_on() of the principal that `held` was resolved for.
PermissionSet effective_on(const Principal& principal, const HeldRoles& held, std::string_view server,
                           std::string_view tool, Channel channel) noexcept;

}  // namespace sallyport::rbac
