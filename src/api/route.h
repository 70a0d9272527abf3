// One row of the route table and what a handler gets. Internal to api.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/api.h"
#include "engines/decide/decide.h"
#include "json/document.h"
#include "json/writer.h"

namespace sallyport::api {

struct Call {
  Api& api;
  RestRequest request;
  std::vector<std::string> parts;  // what the {placeholders} of the path stand for, decoded
  json::Document body;             // null where there was none

  [[nodiscard]] json::Value root() const { return body.root(); }
  [[nodiscard]] const Principal& principal() const { return *request.principal; }
};

struct Route {
  std::string_view method;
  std::string_view path;  // below /api/v1, /api or the root: "/servers/{name}"
  std::optional<Permission> permission;  // nullopt: identity alone, or public
  bool is_public;
  std::string_view limit_class;
  std::string_view event;
  Task<RestAnswer> (*handle)(Call& call);
  bool step_up = false;  // people with a second factor must have shown a code of it lately
};

// Answers.
RestAnswer ok(json::Writer& writer, int status = 200);
RestAnswer no_content();
RestAnswer refuse(const Call& call, const Error& error, std::string_view message = {}, std::string_view details = {});
// {data, pagination{total, limit, offset, has_next, has_prev}} (requirements, section 8) of raw JSON objects.
RestAnswer list(const Call& call, const std::vector<std::string>& items);

// The decoded value of `name` in the query; nothing when absent.
std::optional<std::string> query_value(std::string_view query, std::string_view name);
// Decodes %XX; nothing for a bad escape or a control character.
std::optional<std::string> percent_decode(std::string_view text);

// Fields of the body. A wrong type is Code::validation naming the field.
Result<std::string> text_field(json::Value body, std::string_view name, std::string_view fallback = {});
Result<bool> flag_field(json::Value body, std::string_view name, bool fallback);
Result<std::int64_t> number_field(json::Value body, std::string_view name, std::int64_t fallback);
Result<std::vector<std::string>> texts_field(json::Value body, std::string_view name);
Result<std::map<std::string, std::string>> map_field(json::Value body, std::string_view name);
// Code::validation naming the first member that is not in `known`: a misspelt field is not passed over.
Result<void> only_fields(json::Value body, std::initializer_list<std::string_view> known);

std::string iso_time(WallTime time);

// The handlers, by file.
Task<RestAnswer> health(Call& call);
Task<RestAnswer> ready(Call& call);
Task<RestAnswer> metrics(Call& call);
Task<RestAnswer> status(Call& call);
Task<RestAnswer> audit_tail(Call& call);

Task<RestAnswer> login(Call& call);
Task<RestAnswer> login_by_key(Call& call);
Task<RestAnswer> refresh(Call& call);
Task<RestAnswer> login_second_step(Call& call);
Task<RestAnswer> step_up(Call& call);
Task<RestAnswer> factor_status(Call& call);
Task<RestAnswer> enroll_factor(Call& call);
Task<RestAnswer> confirm_factor(Call& call);
Task<RestAnswer> disable_factor(Call& call);
Task<RestAnswer> renew_recovery_codes(Call& call);
Task<RestAnswer> reset_factor(Call& call);
Task<RestAnswer> logout(Call& call);
Task<RestAnswer> logout_all(Call& call);
Task<RestAnswer> me(Call& call);
Task<RestAnswer> change_password(Call& call);
Task<RestAnswer> update_me(Call& call);

Task<RestAnswer> list_own_sessions(Call& call);
Task<RestAnswer> end_own_session(Call& call);
Task<RestAnswer> list_sessions(Call& call);
Task<RestAnswer> end_session(Call& call);
Task<RestAnswer> end_user_sessions(Call& call);
Task<RestAnswer> revoke_token(Call& call);

Task<RestAnswer> list_tools(Call& call);
Task<RestAnswer> show_tool(Call& call);
Task<RestAnswer> execute_tool(Call& call);

Task<RestAnswer> list_servers(Call& call);
Task<RestAnswer> show_server(Call& call);
Task<RestAnswer> add_server(Call& call);
Task<RestAnswer> remove_server(Call& call);
Task<RestAnswer> probe_server(Call& call);
Task<RestAnswer> restart_server(Call& call);

Task<RestAnswer> list_users(Call& call);
Task<RestAnswer> add_user(Call& call);
Task<RestAnswer> show_user(Call& call);
Task<RestAnswer> update_user(Call& call);
Task<RestAnswer> remove_user(Call& call);
Task<RestAnswer> toggle_user(Call& call);
Task<RestAnswer> enable_user(Call& call);
Task<RestAnswer> disable_user(Call& call);
Task<RestAnswer> set_password(Call& call);

Task<RestAnswer> list_keys(Call& call);
Task<RestAnswer> add_key(Call& call);
Task<RestAnswer> revoke_key(Call& call);

}  // namespace sallyport::api
