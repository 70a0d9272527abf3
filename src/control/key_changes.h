// What the control plane is told about API keys. Plain values and pure functions, any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/secret.h"
#include "model/snapshot.h"

namespace sallyport::control {

inline constexpr std::size_t kKeyDescriptionBytesMax = 1000;
inline constexpr std::size_t kKeyAddressesMax = 64;
inline constexpr std::size_t kKeyScopesMax = 256;
inline constexpr std::chrono::seconds kRotationGraceMax = std::chrono::days(30);

struct NewKey {
  KeyRecord record;
  Secret key;  // shown once
};

// What stands in `scopes`: permissions on everything, scoped grants, dotted names.
struct KeyScopes {
  PermissionSet everywhere;
  std::vector<Grant> grants;
  std::vector<std::string> dotted;
};

// What is to change; the rest stays.
struct KeyChange {
  std::optional<std::string> name, description;
  PermissionSet given, taken;  // the can_* flags that were named
  std::optional<KeyScopes> scopes;  // in place of all that are no can_* flag
  std::optional<std::vector<std::string>> roles;
  std::optional<std::vector<Cidr>> addresses;
  std::optional<std::optional<WallTime>> expires_at;
};

// The permissions that the can_* flags of a key stand for.
inline constexpr PermissionSet kFlagPermissions{Permission::tool_read, Permission::tool_create, Permission::tool_update,
                                                Permission::tool_delete, Permission::tool_execute};

[[nodiscard]] KeyRecord changed(KeyRecord key, KeyChange change);

// Code::validation with a sentence: name, lengths and counts.
Result<void> check_key_fields(const KeyRecord& key);

}  // namespace sallyport::control
