// What the handlers of users, keys and second factors share. Internal to api.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/route.h"
#include "control/user_changes.h"

namespace sallyport::api {

void write_texts(json::Writer& w, std::string_view key, const std::vector<std::string>& texts);

// How often something was used, and when last (null: never), by these names.
void write_use(json::Writer& w, const Usage& usage, std::string_view count, std::string_view last);

// The user's id behind the principal; empty for a key and for the operator at the machine.
std::string actor_user(const Call& call);
using control::find_user;
// For the audit, what was made or changed and as what: "user=ID roles=admin,user".
std::string audit_text(std::string_view kind, std::string_view id, const std::vector<std::string>& roles);
// As refuse(), and Retry-After where the error says how long.
RestAnswer refuse_to_wait(const Call& call, const Error& error);
// As refuse(); what the caller may not give is said: they know what they asked for.
RestAnswer refuse_gift(const Call& call, const Error& error);
// The member `scopes`: tool:read, tool:execute@server/tool, gmail.send. Code::validation naming the first that is none of these.
Result<control::KeyScopes> read_scopes(json::Value body);
// The member `scopes` of what read_scopes() reads.
void write_scopes(json::Writer& w, PermissionSet permissions, const std::vector<Grant>& grants,
                  const std::vector<std::string>& dotted);
// Code::validation naming a role that does not exist.
Result<void> check_roles(const Call& call, const std::vector<std::string>& roles);

// The member `name`, "2025-12-31T23:59:59", with "Z" or without: UTC (ruling C27). Nothing where it is empty, null or absent.
Result<std::optional<WallTime>> read_time(json::Value body, std::string_view name);
void write_time(json::Writer& w, std::string_view name, std::optional<WallTime> time);  // null where there is none

}  // namespace sallyport::api
