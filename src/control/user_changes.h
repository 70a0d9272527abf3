// What the control plane is told about people: a new one, or what is to change, and what their fields may hold. Plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace sallyport::control {

struct NewUser {
  std::string name;
  std::string email;
  std::string password_hash;
  std::vector<std::string> roles{"user"};
  bool must_change_password = false;
};

// What is to change; the rest stays.
struct UserChange {
  std::optional<std::string> email;
  std::optional<std::vector<std::string>> roles;
};

// Code::validation with a sentence. An empty address is none.
Result<void> check_email(std::string_view email);
Result<void> check_user_name(std::string_view name);

}  // namespace sallyport::control
