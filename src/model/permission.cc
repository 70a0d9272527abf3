#include "model/permission.h"

namespace sallyport {

std::optional<Permission> permission_from_name(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kPermissionNames.size(); ++i) {
    if (kPermissionNames[i] == name) return static_cast<Permission>(i);
  }
  return std::nullopt;
}

std::optional<PermissionSet> parse_permissions(std::string_view name) noexcept {
  if (name == "tool:write") return PermissionSet{Permission::tool_create, Permission::tool_update};
  const auto one = permission_from_name(name);
  if (!one) return std::nullopt;
  return PermissionSet{*one};
}

std::optional<Grant> parse_grant(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  const auto permission = permission_from_name(text.substr(0, at));
  const auto scope = text.substr(at + 1);
  if (!permission || scope.empty()) return std::nullopt;
  const auto slash = scope.find('/');
  Grant grant{*permission, std::string(scope.substr(0, slash)), "*"};
  if (slash != std::string_view::npos) grant.tool = scope.substr(slash + 1);
  if (grant.server.empty() || grant.tool.empty()) return std::nullopt;
  return grant;
}

std::string to_string(const Grant& grant) {
  return std::string(name_of(grant.permission)) + "@" + grant.server + "/" + grant.tool;
}

}  // namespace sallyport
