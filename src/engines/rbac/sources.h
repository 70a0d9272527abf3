// Why somebody may: where a permission on a tool comes from. For the access review and for `policy explain`; never part of a
// decision. Pure functions over values of the Snapshot; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/snapshot.h"

namespace sallyport::rbac {

// One thing that gives the permission. All that give it are named, each once: taking one away leaves the others.
struct Source {
  std::string role;  // by name; empty: held without one
  std::string from;  // the role that it inherits it from; empty: the role gives it itself
  std::string group;  // that gives the role or the right; empty: its own
  std::string right;  // as it is written: "tool:execute", "tool:execute@mail/send_*"
  friend bool operator==(const Source&, const Source&) = default;
};

// Of the permission, as effective_on() counts it: through this door, an empty `server` or `tool` naming the whole. The
// principal is a user of the snapshot (its record tells what is its own and what its groups'), or stands for itself.
// Empty where it is not held.
std::vector<Source> sources_of(const Snapshot& snapshot, const Principal& principal, Permission permission,
                               std::string_view server, std::string_view tool, Channel channel);

// "tool:execute by role lead (from user) of group staff", "tool:execute@mail/* of its own".
std::string to_text(const Source& source);

}  // namespace sallyport::rbac
