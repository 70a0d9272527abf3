// What of the input the modules of a policy may read, told from their source: what no rule can see is not written into the
// input, and an answer is remembered by what the rules can see. Conservative: where a form is not understood, everything
// below it counts as read. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::policy {

using Modules = std::vector<std::pair<std::string, std::string>>;  // file name, source

// The members of the input as far down as they are told apart. A new one stands here and in kFieldPaths, or no rule sees it.
enum class Field : std::uint8_t {
  user_id,
  user_name,
  user_kind,
  user_roles,
  user_groups,
  user_permissions,
  labels,
  action,
  permission,
  phase,
  method,
  granted,
  server,
  tool_name,
  tool_server,
  tool_security_level,
  tool_required,
  tool_labels,
  tool_pin,
  tool_untrusted,
  resource,
  address,
  protocol,
  time,
  arguments,
  count_
};

struct FieldPath {
  std::string_view parent;  // "user", "tool"; empty: directly below the input
  std::string_view name;
};

inline constexpr std::array<FieldPath, static_cast<std::size_t>(Field::count_)> kFieldPaths{{
    {"user", "id"},       {"user", "name"},        {"user", "kind"},   {"user", "roles"},
    {"user", "groups"},   {"user", "permissions"}, {"", "labels"},     {"", "action"},
    {"", "permission"},   {"", "phase"},           {"", "method"},     {"", "granted"},
    {"", "server"},       {"tool", "name"},        {"tool", "server"}, {"tool", "security_level"},
    {"tool", "required"}, {"tool", "labels"},      {"tool", "pin"},    {"tool", "untrusted"},
    {"", "resource"},     {"", "address"},         {"", "protocol"},   {"", "time"},
    {"", "arguments"},
}};

class Reads {
 public:
  // Everything, and builtins that change: what is assumed of a source that is not understood.
  constexpr Reads() = default;
  static constexpr Reads nothing() {
    Reads none;
    none.fields_ = 0;
    none.changing_ = false;
    return none;
  }

  [[nodiscard]] constexpr bool has(Field field) const { return (fields_ >> static_cast<unsigned>(field) & 1U) != 0; }
  // Something below `parent` ("user", "tool").
  [[nodiscard]] bool below(std::string_view parent) const;
  // May ask a builtin that answers differently from call to call (the clock, random numbers).
  [[nodiscard]] constexpr bool changing() const { return changing_; }
  [[nodiscard]] constexpr bool everything() const { return fields_ == kAll; }

  constexpr void add(Field field) { fields_ |= 1U << static_cast<unsigned>(field); }
  constexpr void add_changing() { changing_ = true; }
  constexpr void add(Reads other) {
    fields_ |= other.fields_;
    changing_ = changing_ || other.changing_;
  }

 private:
  static constexpr std::uint32_t kAll = (1U << static_cast<unsigned>(Field::count_)) - 1;
  std::uint32_t fields_ = kAll;
  bool changing_ = true;
};

// `modules` without test files, whose `with input as` would count as reading everything.
Reads analyse(const Modules& modules);

}  // namespace sallyport::policy
