// Inside config only: from a checked Value into a typed field.
#pragma once

#include <chrono>

#include "config/table.h"

namespace sallyport::config {

inline void assign(bool& to, const Value& v) { to = std::get<bool>(v); }
inline void assign(std::string& to, const Value& v) { to = std::get<std::string>(v); }
inline void assign(std::vector<std::string>& to, const Value& v) { to = std::get<std::vector<std::string>>(v); }
inline void assign(std::map<std::string, std::string>& to, const Value& v) {
  to = std::get<std::map<std::string, std::string>>(v);
}
template <std::integral T>
  requires(!std::same_as<T, bool>)
void assign(T& to, const Value& v) {
  to = static_cast<T>(std::get<std::int64_t>(v));
}
template <class Period>
void assign(std::chrono::duration<std::int64_t, Period>& to, const Value& v) {
  to = std::chrono::duration<std::int64_t, Period>(std::get<std::int64_t>(v));
}
inline void assign(AuditDurability& to, const Value& v) {
  to = std::get<std::string>(v) == "disk" ? AuditDurability::disk : AuditDurability::os;
}
inline void assign(PasswordProfile& to, const Value& v) {
  to = std::get<std::string>(v) == "nist" ? PasswordProfile::nist : PasswordProfile::guide;
}
inline void assign(SandboxMode& to, const Value& v) {
  to = std::get<std::string>(v) == "require" ? SandboxMode::require : SandboxMode::prefer;
}

}  // namespace sallyport::config

#define SP_INTO(field) [](auto& target, const Value& v) { assign(target.field, v); }
