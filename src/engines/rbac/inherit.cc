#include "engines/rbac/inherit.h"

#include <algorithm>
#include <map>
#include <string>

#include "engines/rbac/rbac.h"

namespace sallyport::rbac {
namespace {

template <class T>
void add_once(std::vector<T>& to, const std::vector<T>& from) {
  for (const T& one : from) {
    if (std::ranges::find(to, one) == to.end()) to.push_back(one);
  }
}

class Inheritance {
 public:
  explicit Inheritance(const Roles& written) : written_(written) {}

  Result<Roles> all() {
    for (const auto& [name, role] : written_) SP_CHECK(resolve(role));
    return std::move(done_);
  }

 private:
  Result<const Role*> resolve(const Role& role) {
    if (const auto known = done_.find(role.name); known != done_.end()) return &known->second;
    if (open_.size() >= kRoleDepthMax) return too_deep(role);
    if (std::ranges::find(open_, role.name) != open_.end()) {
      return fail(Code::validation, "role " + role.name + " inherits itself by way of " + open_.back());
    }
    open_.push_back(role.name);
    Role whole = role;
    std::size_t depth = 0;
    for (const std::string& name : role.inherits) {
      SP_TRY(const Role* const parent, find(role, name));
      depth = std::max(depth, depths_[name]);
      whole.permissions.add(parent->permissions);
      add_once(whole.grants, parent->grants);
      add_once(whole.dotted, parent->dotted);
      add_once(whole.inherits, parent->inherits);
    }
    open_.pop_back();
    if (depth >= kRoleDepthMax) return too_deep(role);
    depths_[role.name] = depth + 1;
    if (whole.grants.size() + whole.dotted.size() > kRoleScopesMax) {
      return fail(Code::limit, "role " + role.name + " has more than 1024 scopes with what it inherits");
    }
    return &done_.emplace(role.name, std::move(whole)).first->second;
  }

  static std::unexpected<Error> too_deep(const Role& role) {
    return fail(Code::limit, "roles inherit more than 16 deep at " + role.name);
  }

  Result<const Role*> find(const Role& child, const std::string& name) {
    if (const auto own = written_.find(name); own != written_.end()) return resolve(own->second);
    const auto builtin = builtin_roles().find(name);
    if (builtin == builtin_roles().end()) {
      return fail(Code::validation, "role " + child.name + " inherits " + name + ", which is not there");
    }
    if (!may_be_inherited(name)) {
      return fail(Code::validation, "role " + name + " cannot be inherited: give it itself");
    }
    return &builtin->second;
  }

  const Roles& written_;
  Roles done_;
  std::map<std::string, std::size_t> depths_;  // of what is done, a built-in role 0
  std::vector<std::string> open_;
};

}  // namespace

bool may_be_inherited(std::string_view builtin) noexcept { return builtin != "admin" && builtin != "agent"; }

Result<Roles> roles_in_force(const Roles& written) { return Inheritance(written).all(); }

}  // namespace sallyport::rbac
