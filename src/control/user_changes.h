// What the control plane is told about people: a new one, or what is to change, and what their fields may hold. Plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/key_changes.h"
#include "core/result.h"
#include "model/snapshot.h"

namespace sallyport::control {

struct NewUser {
  std::string name;
  std::string email;
  std::string password_hash;
  std::vector<std::string> roles{"user"};
  bool must_change_password = false;
  KeyScopes scopes;  // its own, beside what its roles give
};

// What is to change; the rest stays.
struct UserChange {
  std::optional<std::string> email;
  std::optional<std::vector<std::string>> roles;
  std::optional<KeyScopes> scopes;  // in place of all of its own
  std::optional<bool> admin;  // adds or takes away that role (S1-17), of `roles` or of those that the user has then
};

// By id or by name; null: there is nobody of these. What it points to lives as long as the snapshot.
[[nodiscard]] const UserRecord* find_user(const Snapshot& snapshot, const std::string& who);

// Code::validation with a sentence. An empty address is none.
Result<void> check_email(std::string_view email);
Result<void> check_user_name(std::string_view name);
// At most as many as an access token may hold, each once.
Result<void> check_role_names(const std::vector<std::string>& roles);
// At most 256, of a user as of a group. Code::validation.
Result<void> check_scope_count(const KeyScopes& scopes);

}  // namespace sallyport::control
