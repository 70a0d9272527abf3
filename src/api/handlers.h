// The handlers of the routes, by file; routes.cc names each once. Internal to api.
#pragma once

#include "api/route.h"

namespace sallyport::api {

Task<RestAnswer> front_page(Call& call);
Task<RestAnswer> health(Call& call);
Task<RestAnswer> health_detailed(Call& call);
Task<RestAnswer> ready(Call& call);
Task<RestAnswer> metrics(Call& call);
Task<RestAnswer> status(Call& call);
Task<RestAnswer> openapi(Call& call);
Task<RestAnswer> docs(Call& call);
Task<RestAnswer> docs_style(Call& call);
Task<RestAnswer> audit_tail(Call& call);

Task<RestAnswer> login(Call& call);
Task<RestAnswer> login_second_step(Call& call);
Task<RestAnswer> step_up(Call& call);
Task<RestAnswer> factor_status(Call& call);
Task<RestAnswer> enroll_factor(Call& call);
Task<RestAnswer> confirm_factor(Call& call);
Task<RestAnswer> disable_factor(Call& call);
Task<RestAnswer> renew_recovery_codes(Call& call);
Task<RestAnswer> reset_factor(Call& call);
Task<RestAnswer> login_by_key(Call& call);
Task<RestAnswer> refresh(Call& call);
Task<RestAnswer> logout(Call& call);
Task<RestAnswer> logout_all(Call& call);
Task<RestAnswer> me(Call& call);
Task<RestAnswer> update_me(Call& call);
Task<RestAnswer> change_password(Call& call);

Task<RestAnswer> list_own_sessions(Call& call);
Task<RestAnswer> end_own_session(Call& call);
Task<RestAnswer> list_sessions(Call& call);
Task<RestAnswer> end_session(Call& call);
Task<RestAnswer> end_user_sessions(Call& call);
Task<RestAnswer> revoke_token(Call& call);

Task<RestAnswer> list_tools(Call& call);
Task<RestAnswer> show_tool(Call& call);
Task<RestAnswer> execute_tool(Call& call);
Task<RestAnswer> register_tool(Call& call);
Task<RestAnswer> update_tool(Call& call);
Task<RestAnswer> remove_tool(Call& call);
Task<RestAnswer> search_tools(Call& call);
Task<RestAnswer> find_tools(Call& call);

Task<RestAnswer> list_toolsets(Call& call);
Task<RestAnswer> show_toolset(Call& call);
Task<RestAnswer> add_toolset(Call& call);
Task<RestAnswer> update_toolset(Call& call);
Task<RestAnswer> remove_toolset(Call& call);
Task<RestAnswer> list_roles(Call& call);
Task<RestAnswer> show_role(Call& call);
Task<RestAnswer> add_role(Call& call);
Task<RestAnswer> update_role(Call& call);
Task<RestAnswer> remove_role(Call& call);

Task<RestAnswer> access_review(Call& call);

Task<RestAnswer> list_groups(Call& call);
Task<RestAnswer> show_group(Call& call);
Task<RestAnswer> add_group(Call& call);
Task<RestAnswer> update_group(Call& call);
Task<RestAnswer> remove_group(Call& call);
Task<RestAnswer> join_group(Call& call);
Task<RestAnswer> leave_group(Call& call);

Task<RestAnswer> list_policies(Call& call);
Task<RestAnswer> evaluate_policy(Call& call);

Task<RestAnswer> list_labels(Call& call);
Task<RestAnswer> clear_labels(Call& call);
Task<RestAnswer> label_server(Call& call);
Task<RestAnswer> label_tool(Call& call);
Task<RestAnswer> explain_policy(Call& call);
Task<RestAnswer> scaffold_policy(Call& call);

Task<RestAnswer> list_servers(Call& call);
Task<RestAnswer> show_server(Call& call);
Task<RestAnswer> add_server(Call& call);
Task<RestAnswer> remove_server(Call& call);
Task<RestAnswer> probe_server(Call& call);
Task<RestAnswer> restart_server(Call& call);
Task<RestAnswer> set_server_tls(Call& call);

Task<RestAnswer> list_users(Call& call);
Task<RestAnswer> add_user(Call& call);
Task<RestAnswer> show_user(Call& call);
Task<RestAnswer> update_user(Call& call);
Task<RestAnswer> remove_user(Call& call);
Task<RestAnswer> toggle_user(Call& call);
Task<RestAnswer> enable_user(Call& call);
Task<RestAnswer> disable_user(Call& call);
Task<RestAnswer> set_password(Call& call);

Task<RestAnswer> list_identities(Call& call);
Task<RestAnswer> add_identity(Call& call);
Task<RestAnswer> remove_identity(Call& call);

Task<RestAnswer> list_keys(Call& call);
Task<RestAnswer> add_key(Call& call);
Task<RestAnswer> show_key(Call& call);
Task<RestAnswer> update_key(Call& call);
Task<RestAnswer> toggle_key(Call& call);
Task<RestAnswer> enable_key(Call& call);
Task<RestAnswer> disable_key(Call& call);
Task<RestAnswer> rotate_key(Call& call);
Task<RestAnswer> revoke_key(Call& call);

Task<RestAnswer> jwks(Call& call);
Task<RestAnswer> list_token_keys(Call& call);
Task<RestAnswer> rotate_token_keys(Call& call);
Task<RestAnswer> inspect_token(Call& call);

}  // namespace sallyport::api
