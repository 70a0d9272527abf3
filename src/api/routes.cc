// The route table, and finding a row of it.
#include <algorithm>
#include <array>

#include "api/approvals.h"
#include "api/backups.h"
#include "api/certificates.h"
#include "api/handlers.h"
#include "api/policy_versions.h"
#include "api/vault.h"
#include "api/vault_keys.h"

namespace sallyport::api {
namespace {

using enum Permission;

// clang-format off: a row a route
constexpr std::array kRoutes{
    Route{"GET", "/", std::nullopt, true, "public", "", front_page,
          {.summary = "Who is here, and where to read on", .response = "FrontPage"}},
    Route{"GET", "/health", std::nullopt, true, "public", "", health,
          {.summary = "Is the process alive?", .response = "Health"}},
    Route{"GET", "/health/live", std::nullopt, true, "public", "", health,
          {.summary = "Is the process alive?", .response = "Health"}},
    Route{"GET", "/health/ready", std::nullopt, true, "public", "", ready,
          {.summary = "May calls be served now?", .response = "Readiness"}},
    Route{"GET", "/health/detailed", system_admin, false, "read", "", health_detailed,
          {.summary = "How each part of the gateway is", .response = "HealthInDetail"}},
    Route{"GET", "/metrics", std::nullopt, true, "public", "", metrics,
          {.summary = "Prometheus metrics", .media_type = "text/plain"}},
    Route{"POST", "/auth/login", std::nullopt, true, "login", "authentication", login,
          {.summary = "Log in with name and password; JSON or form", .request = "Credentials", .response = "Tokens"}},
    Route{"POST", "/auth/mfa/verify", std::nullopt, true, "login", "authentication", login_second_step,
          {.summary = "The second step of a login", .request = "SecondStep", .response = "Tokens"}},
    Route{"POST", "/auth/step-up", std::nullopt, false, "login", "authentication", step_up,
          {.summary = "Show a code anew, for what asks for a recent one", .request = "FactorCode", .status = 204}},
    Route{"GET", "/auth/mfa", std::nullopt, false, "default", "", factor_status,
          {.summary = "One's own second factor", .response = "Factor"}},
    Route{"POST", "/auth/mfa/enroll", std::nullopt, false, "write", "authentication", enroll_factor,
          {.summary = "Begin a second factor: its secret and QR code; asks for the password where the login is not recent",
           .request = "EnrollmentStart", .response = "Enrollment", .status = 201}},
    Route{"POST", "/auth/mfa/confirm", std::nullopt, false, "login", "authentication", confirm_factor,
          {.summary = "Confirm it with a code; recovery codes", .request = "FactorCode", .response = "RecoveryCodes"}},
    Route{"POST", "/auth/mfa/recovery", std::nullopt, false, "login", "authentication", renew_recovery_codes,
          {.summary = "New recovery codes in place of the old", .request = "FactorCode", .response = "RecoveryCodes"}},
    Route{"POST", "/auth/mfa/disable", std::nullopt, false, "login", "authentication", disable_factor,
          {.summary = "Do without a second factor", .request = "FactorCode", .status = 204}},
    Route{"POST", "/auth/api-key-login", std::nullopt, true, "login", "authentication", login_by_key,
          {.summary = "Tokens for an API key; they end with it", .request = "KeyLogin", .response = "Tokens"}},
    Route{"POST", "/auth/refresh", std::nullopt, true, "public", "authentication", refresh,
          {.summary = "New tokens for a refresh token, which is used up", .request = "Refresh", .response = "Tokens"}},
    Route{"POST", "/auth/logout", std::nullopt, false, "write", "authentication", logout,
          {.summary = "End the login that asks", .status = 204}},
    Route{"POST", "/auth/logout-all", std::nullopt, false, "write", "authentication", logout_all,
          {.summary = "End all of one's own logins", .status = 204}},
    Route{"GET", "/auth/sessions", std::nullopt, false, "default", "", list_own_sessions,
          {.summary = "One's own logins", .response = "Session", .list = true}},
    Route{"DELETE", "/auth/sessions/{id}", std::nullopt, false, "delete", "authentication", end_own_session,
          {.summary = "End one of one's own logins", .status = 204}},
    Route{"GET", "/sessions", user_read, false, "admin", "", list_sessions,
          {.summary = "Logins; of one user by name or id", .response = "Session", .query = "user", .list = true}},
    Route{"DELETE", "/sessions/{id}", user_write, false, "delete", "authentication", end_session,
          {.summary = "End a login", .status = 204}},
    Route{"DELETE", "/users/{id}/sessions", user_write, false, "delete", "authentication", end_user_sessions,
          {.summary = "End all logins of a user", .status = 204}},
    Route{"DELETE", "/tokens/{id}", user_write, false, "delete", "authentication", revoke_token,
          {.summary = "Revoke an access token by its jti", .status = 204}},
    Route{"GET", "/auth/me", std::nullopt, false, "default", "", me,
          {.summary = "Who am I?", .response = "Caller"}},
    Route{"PUT", "/auth/me", std::nullopt, false, "write", "system", update_me,
          {.summary = "Change one's own profile", .request = "Profile", .response = "User"}},
    Route{"POST", "/auth/password", std::nullopt, false, "login", "authentication", change_password,
          {.summary = "Change one's own password; ends every token of before", .request = "PasswordChange", .status = 204}},
    Route{"GET", "/status", system_admin, false, "admin", "", status,
          {.summary = "What the gateway is doing", .response = "Object"}},
    Route{"GET", "/audit", audit_read, false, "admin", "", audit_tail,
          {.summary = "The newest audit records", .response = "AuditRecords", .query = "limit principal server tool result kind request_id"}},
    Route{"GET", "/tools", tool_read, false, "read", "", list_tools,
          {.summary = "Tools that the caller may read", .response = "Tool", .query = "category", .filters = "server name status security_level", .list = true}},
    Route{"POST", "/tools", tool_create, false, "write", "tool_operation", register_tool,
          {.summary = "Register a tool", .request = "NewTool", .response = "Tool", .status = 201}},
    Route{"GET", "/tools/search", tool_read, false, "read", "", search_tools,
          {.summary = "Tools that have all of the words, the best match first", .response = "Tool", .query = "query category",
           .filters = "server name status security_level", .list = true}},
    Route{"POST", "/tools/search", tool_read, false, "read", "", find_tools,
          {.summary = "Tools that are like the words, the most alike first", .request = "ToolQuery", .response = "ToolsFound"}},
    Route{"PUT", "/tools/{id}", tool_update, false, "write", "tool_operation", update_tool,
          {.summary = "Change a registered tool; what is left out stays", .request = "ToolChange", .response = "Tool"}},
    Route{"DELETE", "/tools/{id}", tool_delete, false, "delete", "tool_operation", remove_tool,
          {.summary = "Remove a registered tool", .status = 204}},
    Route{"GET", "/tools/{id}", tool_read, false, "read", "", show_tool,
          {.summary = "One tool with its schemas", .response = "Tool"}},
    Route{"POST", "/tools/{id}/execute", std::nullopt, false, "execute", "tool_execution", execute_tool,
          {.summary = "Call a tool; the same decision and evidence as over MCP", .request = "Execution", .response = "ExecutionResult"}},
    Route{"GET", "/servers", server_read, false, "read", "", list_servers,
          {.summary = "Upstream servers", .response = "Server", .filters = "name transport enabled", .list = true}},
    Route{"POST", "/servers", server_write, false, "admin", "tool_operation", add_server,
          {.summary = "Register a server, probed first", .request = "NewServer", .response = "Probe", .status = 201}},
    Route{"GET", "/servers/{name}", server_read, false, "read", "", show_server,
          {.summary = "One server", .response = "Server"}},
    Route{"DELETE", "/servers/{name}", server_write, false, "delete", "tool_operation", remove_server,
          {.summary = "Remove a server and its tools", .status = 204}},
    Route{"POST", "/servers/{name}/probe", server_write, false, "admin", "tool_operation", probe_server,
          {.summary = "Ask a server for its tools; accept what changed", .request = "ProbeOrder", .response = "Probe"}},
    Route{"POST", "/servers/{name}/restart", server_write, false, "admin", "system", restart_server,
          {.summary = "Start a server anew", .response = "Restarted"}},
    Route{"PUT", "/servers/{name}/tls", server_write, false, "admin", "tool_operation", set_server_tls,
          {.summary = "Say what TLS to an upstream demands, in place of what was said; its sessions end", .request = "UpstreamTls", .response = "Server"}},
    Route{"PUT", "/servers/{name}/labels", server_write, false, "admin", "tool_operation", label_server,
          {.summary = "What calls of all of a server's tools leave with their callers", .request = "LabelNames", .response = "ServerLabels"}},
    Route{"PUT", "/tools/{id}/labels", server_write, false, "admin", "tool_operation", label_tool,
          {.summary = "What calls of a tool leave with their callers, beside its server's", .request = "LabelNames", .response = "Tool"}},
    Route{"GET", "/labels", policy_read, false, "admin", "", list_labels,
          {.summary = "What calls have left with their callers", .response = "CarriedLabel", .filters = "principal label", .list = true}},
    Route{"POST", "/labels/clear", policy_write, false, "admin", "system", clear_labels,
          {.summary = "Take labels away from a principal; never one's own, administrators aside", .request = "LabelClearing", .response = "ClearedLabels"}, true},
    Route{"GET", "/users", user_read, false, "admin", "", list_users,
          {.summary = "Users", .response = "User", .filters = "username email enabled", .list = true}},
    Route{"POST", "/users", user_write, false, "admin", "system", add_user,
          {.summary = "Make a user", .request = "NewUser", .response = "User", .status = 201}, true},
    Route{"GET", "/users/{id}", user_read, false, "admin", "", show_user, {.summary = "One user, by name or id", .response = "User"}},
    Route{"PUT", "/users/{id}", user_write, false, "admin", "system", update_user,
          {.summary = "Change a user's e-mail, roles or scopes", .request = "UserChange", .response = "User"}, true},
    Route{"DELETE", "/users/{id}", user_write, false, "delete", "system", remove_user,
          {.summary = "Delete a user; never oneself or the last admin", .status = 204}, true},
    Route{"POST", "/users/{id}/toggle", user_write, false, "admin", "system", toggle_user,
          {.summary = "Disable an enabled user, enable a disabled one", .response = "User"}, true},
    Route{"POST", "/users/{id}/enable", user_write, false, "admin", "system", enable_user,
          {.summary = "Enable a user", .response = "User"}, true},
    Route{"POST", "/users/{id}/disable", user_write, false, "admin", "system", disable_user,
          {.summary = "Disable a user; ends their logins", .response = "User"}, true},
    Route{"PUT", "/users/{id}/password", user_write, false, "admin", "system", set_password,
          {.summary = "Set a user's password, or make a one-time one", .request = "NewPassword", .response = "User"}, true},
    Route{"GET", "/users/{id}/mfa", user_read, false, "admin", "", factor_status,
          {.summary = "A user's second factor", .response = "Factor"}},
    Route{"DELETE", "/users/{id}/mfa", user_write, false, "admin", "authentication", reset_factor,
          {.summary = "Reset a user's second factor", .status = 204}, true},
    Route{"POST", "/users/{id}/mfa/enroll", user_write, false, "admin", "authentication", enroll_factor,
          {.summary = "On the gateway's machine: begin a user's second factor", .response = "Enrollment", .status = 201}, true},
    Route{"POST", "/users/{id}/mfa/confirm", user_write, false, "admin", "authentication", confirm_factor,
          {.summary = "On the gateway's machine: confirm it", .request = "FactorCode", .response = "RecoveryCodes"}, true},
    Route{"POST", "/users/{id}/mfa/recovery", user_write, false, "admin", "authentication", renew_recovery_codes,
          {.summary = "On the gateway's machine: new recovery codes", .response = "RecoveryCodes"}, true},
    Route{"GET", "/toolsets", tool_read, false, "read", "", list_toolsets,
          {.summary = "Toolsets, and what of them the caller may read", .response = "Toolset", .filters = "name enabled", .list = true}},
    Route{"GET", "/toolsets/{name}", tool_read, false, "read", "", show_toolset, {.summary = "One toolset", .response = "Toolset"}},
    Route{"POST", "/toolsets", server_write, false, "admin", "system", add_toolset,
          {.summary = "Make a toolset: a choice of tools at /mcp/p/{name}", .request = "NewToolset", .response = "Toolset", .status = 201}},
    Route{"PUT", "/toolsets/{name}", server_write, false, "admin", "system", update_toolset,
          {.summary = "Change a toolset; what is not named stays", .request = "ToolsetChange", .response = "Toolset"}},
    Route{"DELETE", "/toolsets/{name}", server_write, false, "delete", "system", remove_toolset,
          {.summary = "Take a toolset away; its tools stay", .status = 204}},
    Route{"GET", "/roles", user_read, false, "admin", "", list_roles,
          {.summary = "Roles and what they grant", .response = "Role", .filters = "name built_in", .list = true}},
    Route{"GET", "/roles/{name}", user_read, false, "admin", "", show_role, {.summary = "One role", .response = "Role"}},
    Route{"POST", "/roles", user_write, false, "admin", "system", add_role,
          {.summary = "Make a role", .request = "NewRole", .response = "Role", .status = 201}, true},
    Route{"PUT", "/roles/{name}", user_write, false, "admin", "system", update_role,
          {.summary = "Change a role; what is not named stays", .request = "RoleChange", .response = "Role"}, true},
    Route{"DELETE", "/roles/{name}", user_write, false, "delete", "system", remove_role,
          {.summary = "Take away a role that nobody has", .status = 204}, true},
    Route{"GET", "/groups", user_read, false, "admin", "", list_groups,
          {.summary = "Groups, what they give and to whom", .response = "Group", .filters = "name", .list = true}},
    Route{"GET", "/groups/{name}", user_read, false, "admin", "", show_group, {.summary = "One group", .response = "Group"}},
    Route{"POST", "/groups", user_write, false, "admin", "system", add_group,
          {.summary = "Make a group", .request = "NewGroup", .response = "Group", .status = 201}, true},
    Route{"PUT", "/groups/{name}", user_write, false, "admin", "system", update_group,
          {.summary = "Change a group; what is not named stays", .request = "GroupChange", .response = "Group"}, true},
    Route{"DELETE", "/groups/{name}", user_write, false, "delete", "system", remove_group,
          {.summary = "Take away a group that nobody is in", .status = 204}, true},
    Route{"PUT", "/groups/{name}/members/{id}", user_write, false, "admin", "system", join_group,
          {.summary = "Let a user, by name or id, into a group", .response = "Group"}, true},
    Route{"DELETE", "/groups/{name}/members/{id}", user_write, false, "delete", "system", leave_group,
          {.summary = "Take a user out of a group", .status = 204}, true},
    Route{"GET", "/access/review", audit_read, false, "admin", "", access_review,
          {.summary = "Who can call what, why, and when they last did", .response = "AccessReview",
           .query = "principal server tool unused limit after"}},
    Route{"GET", "/policies", policy_read, false, "admin", "", list_policies,
          {.summary = "The policies in force, by package", .response = "Policy", .filters = "name", .list = true}},
    Route{"POST", "/policies/evaluate", policy_read, false, "admin", "", evaluate_policy,
          {.summary = "What a policy would say of an input; decides nothing", .request = "PolicyQuestion", .response = "PolicyAnswer"}},
    Route{"GET", "/policies/versions", policy_read, false, "admin", "", list_policy_versions,
          {.summary = "Sets of policies that were known, the newest first", .response = "PolicyVersion", .filters = "state source author", .list = true}, false, true},
    Route{"GET", "/policies/versions/{id}", policy_read, false, "admin", "", show_policy_version,
          {.summary = "One of them with its modules, by number, or active, or shadow", .response = "PolicyVersionInFull"}, false, true},
    Route{"POST", "/policies/versions", policy_write, false, "admin", "system", add_policy_version,
          {.summary = "Keep a candidate, compiled first; not in force", .request = "NewPolicyVersion", .response = "PolicyVersion", .status = 201}, true},
    Route{"POST", "/policies/versions/{id}/activate", policy_write, false, "admin", "system", activate_policy_version,
          {.summary = "Put a version in force", .request = "PolicyOrder", .response = "PolicyMove"}, true},
    Route{"POST", "/policies/rollback", policy_write, false, "admin", "system", roll_back_policy,
          {.summary = "Put in force what was in force before, or the version named", .request = "PolicyRollback", .response = "PolicyMove"}, true, true},
    Route{"DELETE", "/policies/versions/{id}", policy_write, false, "delete", "system", remove_policy_version,
          {.summary = "Forget a candidate that was never in force", .status = 204}, true},
    Route{"POST", "/policies/versions/{id}/shadow", policy_write, false, "admin", "system", try_policy_version,
          {.summary = "Try a version beside the one in force; it changes no answer", .response = "PolicyVersion"}, true},
    Route{"GET", "/policies/shadow", policy_read, false, "admin", "", show_policy_shadow,
          {.summary = "What the version that is tried would have said; needs audit:read too", .response = "PolicyShadow"}},
    Route{"POST", "/policies/replay", policy_write, false, "admin", "system", replay_policies,
          {.summary = "What a version, or modules of one's own, would have said to the calls of late; needs audit:read too", .request = "PolicyReplay", .response = "PolicyReplayed"}, true},
    Route{"GET", "/policies/recorded", policy_read, false, "admin", "system", list_recorded_decisions,
          {.summary = "The calls of late with their arguments, to be replayed elsewhere; needs audit:read too", .response = "PolicyRecord"}, true},
    Route{"DELETE", "/policies/shadow", policy_write, false, "delete", "system", stop_trying_policies,
          {.summary = "Try it no more", .status = 204}, true},
    Route{"POST", "/policies/explain", policy_read, false, "admin", "", explain_policy,
          {.summary = "Why an input, or a call by somebody, is allowed or refused: roles, rules and lines; nothing is done",
           .request = "PolicyCase", .response = "PolicyExplanation"}},
    Route{"GET", "/policies/scaffold", policy_read, false, "admin", "", scaffold_policy,
          {.summary = "A policy to begin with, made from the approved tools that the caller may read", .response = "PolicyScaffold", .query = "server"}},
    Route{"GET", "/vault/secrets", vault_read, false, "admin", "", list_secrets,
          {.summary = "Secrets without their values: the gateway's, or with owner=me one's own", .response = "Secret", .query = "owner", .filters = "name expired", .list = true}, false, false, true},
    Route{"GET", "/vault/secrets/{name}", vault_read, false, "read", "", show_secret,
          {.summary = "One secret with its versions, without their values", .response = "SecretInDetail", .query = "owner"}, false, false, true},
    Route{"PUT", "/vault/secrets/{name}", vault_write, false, "write", "security", put_secret,
          {.summary = "A new version of a secret, or with no value what is said of it", .request = "SecretPut", .response = "SecretInDetail", .query = "owner"}, false, false, true},
    Route{"DELETE", "/vault/secrets/{name}", vault_write, false, "delete", "security", remove_secret,
          {.summary = "Delete a secret: its data keys first", .status = 204, .query = "owner"}, true, false, true},
    Route{"POST", "/vault/secrets/{name}/reveal", vault_read, false, "login", "security", reveal_secret,
          {.summary = "The value of a secret; the audit notes its name and version", .request = "SecretVersion", .response = "SecretValue", .query = "owner"}, true, false, true},
    Route{"POST", "/vault/secrets/{name}/one-time", vault_read, false, "login", "security", offer_secret,
          {.summary = "A token that shows a secret once", .request = "SecretOffer", .response = "OneTimeToken", .status = 201, .query = "owner"}, true, false, true},
    Route{"POST", "/vault/one-time", std::nullopt, false, "login", "security", take_secret,
          {.summary = "What a one-time token shows, which is used up", .request = "OneTimeUse", .response = "SecretValue"}},
    Route{"POST", "/vault/secrets/{name}/rollback", vault_write, false, "write", "security", roll_back_secret,
          {.summary = "Put an earlier version of a secret in force", .request = "SecretVersionNeeded", .response = "SecretInDetail", .query = "owner"}, false, false, true},
    Route{"POST", "/vault/secrets/{name}/destroy", vault_write, false, "delete", "security", destroy_secret_version,
          {.summary = "Destroy a version of a secret that is not in force", .request = "SecretVersionNeeded", .response = "SecretInDetail", .query = "owner"}, true, false, true},
    Route{"GET", "/vault/status", vault_read, false, "admin", "", vault_status,
          {.summary = "Is the vault sealed? How much does it hold?", .response = "VaultStatus"}},
    Route{"POST", "/vault/seal", vault_write, false, "admin", "security", seal_vault,
          {.summary = "Drop the vault's key material from memory until it is unsealed", .response = "VaultStatus"}, true},
    Route{"POST", "/vault/unseal", vault_write, false, "admin", "security", unseal_vault,
          {.summary = "Read the vault's key material from its source again", .response = "VaultStatus"}, true},
    Route{"GET", "/vault/exchange-key", std::nullopt, true, "public", "", exchange_key,
          {.summary = "The public key that secrets are sealed to before they are sent", .response = "ExchangeKey"}},
    Route{"POST", "/vault/exchange-key/rotate", vault_write, false, "admin", "security", rotate_exchange_key,
          {.summary = "Publish a new key; the former opens for a while longer", .response = "ExchangeKeyId"}, true},
    Route{"GET", "/approvals", std::nullopt, false, "read", "", list_approvals,
          {.summary = "Calls that wait for people, or were decided by them: one's own, or all with approval:read", .response = "Approval",
           .filters = "state principal server tool", .list = true}},
    Route{"GET", "/approvals/{id}", std::nullopt, false, "read", "", show_approval,
          {.summary = "One of them with its exact arguments", .response = "Approval"}},
    Route{"POST", "/approvals/{id}/approve", approval_write, false, "write", "authorization", approve_call,
          {.summary = "Let the call pass, once", .request = "ApprovalDecision", .response = "Approval"}, true},
    Route{"POST", "/approvals/{id}/deny", approval_write, false, "write", "authorization", deny_call,
          {.summary = "Refuse the call", .request = "ApprovalDecision", .response = "Approval"}, true},
    Route{"DELETE", "/approvals/{id}", std::nullopt, false, "write", "authorization", cancel_approval,
          {.summary = "Withdraw a call of one's own that waits", .status = 204}},
    Route{"GET", "/approvals/{id}/page", std::nullopt, true, "public", "", approval_page,
          {.summary = "What to do about a call that waits, for people; says nothing of the call", .media_type = "text/html"}},
    Route{"GET", "/certificates", system_admin, false, "admin", "", list_certificates,
          {.summary = "What the built-in authority has issued", .response = "Certificate", .filters = "kind status name user ends_soon", .list = true}},
    Route{"GET", "/certificates/authority", system_admin, false, "admin", "", show_authority,
          {.summary = "The authority's certificate, to be trusted by clients, and its revocation list", .response = "Authority"}},
    Route{"POST", "/certificates/authority", system_admin, false, "admin", "system", init_authority,
          {.summary = "Make the authority where there is none, and the gateway's own certificate", .request = "NewAuthority", .response = "Certificate", .status = 201}, true},
    Route{"GET", "/certificates/{id}", system_admin, false, "admin", "", show_certificate,
          {.summary = "One certificate, by serial; ca and server: those in use; or by name: its newest", .response = "Certificate"}},
    Route{"POST", "/certificates", system_admin, false, "admin", "system", issue_certificate,
          {.summary = "Issue a certificate; its key is in this answer only", .request = "CertificateOrder", .response = "IssuedCertificate", .status = 201}, true},
    Route{"POST", "/certificates/{id}/renew", system_admin, false, "admin", "system", renew_certificate,
          {.summary = "The same with a new key and a new life; a key that is not the gateway's own is in this answer only", .request = "CertificateRenewal",
           .response = "IssuedCertificate", .status = 201}, true},
    Route{"POST", "/certificates/{id}/revoke", system_admin, false, "admin", "system", revoke_certificate,
          {.summary = "Revoke a certificate, by serial", .request = "Revocation", .response = "Certificate"}, true},
    Route{"GET", "/client-certificates", user_read, false, "admin", "", list_identities,
          {.summary = "Client certificates and whom they stand for", .response = "ClientCertificate", .filters = "name principal", .list = true}},
    Route{"POST", "/client-certificates", user_write, false, "admin", "system", add_identity,
          {.summary = "Let a client certificate stand for a user, or with key:write for an API key", .request = "NewClientCertificate", .response = "ClientCertificate", .status = 201}, true},
    Route{"DELETE", "/client-certificates/{id}", user_write, false, "delete", "system", remove_identity,
          {.summary = "Let it stand for nobody, on open connections too", .status = 204}},
    Route{"GET", "/keys", key_read, false, "admin", "", list_keys,
          {.summary = "API keys, without their secrets", .response = "Key", .filters = "name owner enabled", .list = true}},
    Route{"POST", "/keys", key_write, false, "admin", "system", add_key,
          {.summary = "Make an API key; its secret is in this answer only", .request = "NewKey", .response = "Key", .status = 201}, true},
    Route{"GET", "/keys/{id}", key_read, false, "admin", "", show_key, {.summary = "One API key", .response = "Key"}},
    Route{"PUT", "/keys/{id}", key_write, false, "admin", "system", update_key,
          {.summary = "Change what a key is called and may; what is not named stays", .request = "KeyChange", .response = "Key"}, true},
    Route{"POST", "/keys/{id}/toggle", key_write, false, "admin", "system", toggle_key,
          {.summary = "Disable an enabled key, enable a disabled one", .response = "Key"}, true},
    Route{"POST", "/keys/{id}/enable", key_write, false, "admin", "system", enable_key,
          {.summary = "Enable a key", .response = "Key"}, true},
    Route{"POST", "/keys/{id}/disable", key_write, false, "admin", "system", disable_key,
          {.summary = "Disable a key; ends its streams and tokens", .response = "Key"}},
    Route{"POST", "/keys/{id}/rotate", key_write, false, "admin", "system", rotate_key,
          {.summary = "A new secret for a key, in this answer only; the old one is good for a while", .request = "KeyRotation", .response = "Key"}, true},
    Route{"DELETE", "/keys/{id}", key_write, false, "delete", "system", revoke_key,
          {.summary = "Revoke an API key", .status = 204}},
    Route{"GET", "/.well-known/jwks.json", std::nullopt, true, "public", "", jwks,
          {.summary = "The public keys that verify access tokens (RFC 7517); none under HS256", .response = "KeySet",
           .media_type = "application/jwk-set+json"}},
    Route{"GET", "/token-keys", system_admin, false, "admin", "", list_token_keys,
          {.summary = "The keys of access tokens: which signs, which still verify", .response = "TokenKey", .filters = "algorithm status", .list = true}},
    Route{"POST", "/token-keys/rotate", system_admin, false, "admin", "system", rotate_token_keys,
          {.summary = "Let a new key sign; with revoke_old end every token of before", .request = "Rotation", .response = "Rotated"}, true},
    Route{"GET", "/backups", system_admin, false, "admin", "", list_backups,
          {.summary = "The backups in their folder", .response = "Backup", .filters = "base", .list = true}},
    Route{"POST", "/backups", system_admin, false, "admin", "system", make_backup,
          {.summary = "Make a backup, and try it; restoring one is done at the machine", .request = "BackupOrder", .response = "BackupMade", .status = 201}, true},
    Route{"POST", "/backups/{name}/verify", system_admin, false, "admin", "system", verify_backup,
          {.summary = "Restore a backup into a scratch folder, check all of it, remove that", .request = "BackupPassword", .response = "BackupVerified"}, true},
    Route{"GET", "/vault/keys", system_admin, false, "admin", "", show_keyring,
          {.summary = "What opens the keyring, and its key-encryption keys by number and age", .response = "Keyring"}},
    Route{"POST", "/vault/keys/rotate", system_admin, false, "admin", "system", rotate_wrapping_key,
          {.summary = "A new key-encryption key; stored keys are wrapped anew, the old one is destroyed", .response = "WrappingKey"}, true},
    Route{"POST", "/vault/hash-keys/rotate", system_admin, false, "admin", "system", rotate_hash_key,
          {.summary = "A new hash key of API keys; a key goes over when it is used, a hash key that none needs is destroyed", .response = "WrappingKey"}, true},
    Route{"PUT", "/vault/keys/source", system_admin, false, "admin", "system", reseal_keyring,
          {.summary = "Let another password, key, file or token open the keyring", .request = "KeyringSource", .response = "Keyring"}, true},
    Route{"POST", "/tokens/inspect", system_admin, false, "admin", "system", inspect_token,
          {.summary = "What a token holds, and whether and why it is refused", .request = "TokenText", .response = "Inspection"}},
    Route{"GET", "/openapi.json", std::nullopt, true, "public", "", openapi,
          {.summary = "This document", .response = "Object"}},
    Route{"GET", "/docs", std::nullopt, true, "public", "", docs,
          {.summary = "This document, for people", .media_type = "text/html"}},
    Route{"GET", "/docs/style.css", std::nullopt, true, "public", "", docs_style,
          {.summary = "How /docs looks", .media_type = "text/css"}},
};
// clang-format on

// Ruling C23: /api/v1 is the canonical prefix, /api and the root are aliases. Below it S1's own names (S1-11, S1-17, S1-18).
std::string canonical(std::string_view path) {
  for (const std::string_view prefix : {"/api/v1", "/api"}) {
    if (path.starts_with(prefix) && path.size() > prefix.size() && path[prefix.size()] == '/') {
      path.remove_prefix(prefix.size());
      break;
    }
  }
  using Alias = std::pair<std::string_view, std::string_view>;
  for (const auto& [alias, real] : {Alias{"/admin/api-keys", "/keys"}, Alias{"/admin/users", "/users"}}) {
    if (!path.starts_with(alias)) continue;
    const auto rest = path.substr(alias.size());
    if (rest.empty() || rest.front() == '/') return std::string(real).append(rest);
  }
  return std::string(path);
}

std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto end = std::min(path.find('/'), path.size());
  const auto segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

// `parts` may be null. A placeholder takes one whole segment, never an empty one.
bool matches(std::string_view pattern, std::string_view path, std::vector<std::string>* parts) {
  while (!pattern.empty() && !path.empty() && path.front() == '/') {
    const auto wanted = next_segment(pattern);
    const auto given = next_segment(path);
    if (wanted.starts_with('{')) {
      if (given.empty()) return false;
      if (parts != nullptr) parts->emplace_back(given);
    } else if (wanted != given) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

}  // namespace

std::span<const Route> routes() noexcept { return kRoutes; }

FoundRoute find_route(std::string_view method, std::string_view path) {
  const std::string wanted = canonical(path);
  FoundRoute found;
  for (const Route& route : kRoutes) {
    std::vector<std::string> parts;
    if (!matches(route.path, wanted, &parts)) continue;
    if (route.method != method) {
      found.allowed += (found.allowed.empty() ? "" : ", ") + std::string(route.method);
      continue;
    }
    found.route = &route;
    found.parts = std::move(parts);
    return found;
  }
  return found;
}

}  // namespace sallyport::api
