// Permissions, and grants of them. One closed set (ruling C6): `tool:write` is create + update; `can_*` flags of a key map
// onto the tool permissions; dotted names such as `gmail.send` are permissions that a tool or server requires.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

enum class Permission : std::uint8_t {
  tool_read, tool_create, tool_update, tool_delete, tool_execute,
  user_read, user_write, key_read, key_write, server_read, server_write,
  policy_read, policy_write, audit_read, vault_read, vault_write,
  incident_read, incident_write, approval_read, approval_write, system_admin, count_
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(Permission::count_)> kPermissionNames{
    "tool:read", "tool:create", "tool:update", "tool:delete", "tool:execute", "user:read", "user:write", "key:read",
    "key:write", "server:read", "server:write", "policy:read", "policy:write", "audit:read", "vault:read",
    "vault:write", "incident:read", "incident:write", "approval:read", "approval:write", "system:admin"};

class PermissionSet {
 public:
  constexpr PermissionSet() = default;
  constexpr PermissionSet(std::initializer_list<Permission> list) {
    for (const Permission p : list) add(p);
  }
  static constexpr PermissionSet all() {
    PermissionSet set;
    set.bits_ = (1U << static_cast<unsigned>(Permission::count_)) - 1;
    return set;
  }
  constexpr void add(Permission p) { bits_ |= 1U << static_cast<unsigned>(p); }
  constexpr void add(PermissionSet other) { bits_ |= other.bits_; }
  [[nodiscard]] constexpr bool has(Permission p) const { return (bits_ >> static_cast<unsigned>(p) & 1U) != 0; }
  [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
  static constexpr PermissionSet from_bits(std::uint32_t bits) {
    PermissionSet set;
    set.bits_ = bits & all().bits_;
    return set;
  }
  friend constexpr bool operator==(PermissionSet, PermissionSet) = default;

 private:
  std::uint32_t bits_ = 0;
};

// One permission on the tools that the globs name (`*` and `?`, byte-wise, case-sensitive): `tool:execute@gmail/send_*`.
struct Grant {
  Permission permission = Permission::tool_read;
  std::string server = "*";
  std::string tool = "*";
  friend bool operator==(const Grant&, const Grant&) = default;
};

// "tool:execute" -> Permission; `tool:write` is not one permission but two: see parse_permissions.
std::optional<Permission> permission_from_name(std::string_view name) noexcept;
inline std::string_view name_of(Permission p) noexcept { return kPermissionNames[static_cast<std::size_t>(p)]; }
// A name of C6, `tool:write` included, as the set it stands for.
std::optional<PermissionSet> parse_permissions(std::string_view name) noexcept;
// "tool:execute@server/tool" or "tool:execute@server" (every tool of it).
std::optional<Grant> parse_grant(std::string_view text);
std::string to_string(const Grant& grant);

}  // namespace sallyport
