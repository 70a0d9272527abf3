// What the many questions of one principal have in common, found and written once: its roles, and the list of their names as the
// input has it, which of who holds 1,000 roles was most of a question's time. Internal to engines/decide; not thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "engines/rbac/held.h"
#include "model/snapshot.h"

namespace sallyport::decide_internal {

class Caller {
 public:
  // Before each question.
  void resolve(const Snapshot& snapshot, const Principal& principal) {
    if (held_.resolve(snapshot.roles, principal)) written_ = false;
  }
  [[nodiscard]] const rbac::HeldRoles& held() const noexcept { return held_; }
  // A JSON list of the names, those of inherited roles too. Valid until the next resolve().
  [[nodiscard]] std::string_view role_names();

 private:
  rbac::HeldRoles held_;
  std::string names_;
  bool written_ = false;
};

}  // namespace sallyport::decide_internal
