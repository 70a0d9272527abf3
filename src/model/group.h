// Groups of people, as the Snapshot owns them. Plain values.
#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "model/permission.h"

namespace sallyport {

// What people have together. It never gives the roles admin and agent: the one is given to people by name, the other takes away.
struct Group {
  std::string name;
  std::string description;
  std::vector<std::string> roles;
  PermissionSet permissions;
  std::vector<Grant> grants;
  std::vector<std::string> dotted;
  WallTime created_at{};
};

}  // namespace sallyport
