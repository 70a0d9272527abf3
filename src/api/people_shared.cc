#include "api/people.h"
#include "engines/rbac/rbac.h"

namespace sallyport::api {

void write_texts(json::Writer& w, std::string_view key, const std::vector<std::string>& texts) {
  w.key(key).array();
  for (const auto& text : texts) w.value(text);
  w.end_array();
}

void write_use(json::Writer& w, const Usage& usage, std::string_view count, std::string_view last) {
  const std::chrono::microseconds when(usage.last.load(std::memory_order_relaxed));
  w.member(count, usage.count.load(std::memory_order_relaxed)).key(last);
  if (when.count() == 0) w.null();
  else w.value(iso_time(WallTime(when)));
}

std::string actor_user(const Call& call) {
  return call.principal().kind == PrincipalKind::user ? call.principal().id.substr(5) : "";
}

std::string audit_text(std::string_view kind, std::string_view id, const std::vector<std::string>& roles) {
  std::string out = std::string(kind) + "=" + std::string(id) + " roles=";
  for (const auto& role : roles) out += (&role == &roles.front() ? "" : ",") + role;
  return out;
}

Result<void> check_roles(const Call& call, const std::vector<std::string>& roles) {
  for (const auto& role : roles) {
    if (rbac::find_role(*call.request.snapshot->roles, role) == nullptr) {
      return fail(Code::validation,
                  "no role \"" + role + "\"; the built-in ones are admin, user, agent, readonly, auditor");
    }
  }
  return {};
}

void write_time(json::Writer& w, std::string_view name, std::optional<WallTime> time) {
  w.key(name);
  if (time) w.value(iso_time(*time));
  else w.null();
}

RestAnswer refuse_gift(const Call& call, const Error& error) {
  return refuse(call, error, error.code == Code::access_denied ? std::string_view(error.detail) : std::string_view());
}

Result<control::KeyScopes> read_scopes(json::Value body) {
  control::KeyScopes scopes;
  SP_TRY(const auto texts, texts_field(body, "scopes"));
  for (const auto& scope : texts) {
    const bool dotted = scope.find('.') != std::string::npos && scope.find_first_of(":@/ ") == std::string::npos;
    if (auto grant = parse_grant(scope)) scopes.grants.push_back(std::move(*grant));
    else if (const auto whole = parse_permissions(scope)) scopes.everywhere.add(*whole);
    else if (dotted) scopes.dotted.push_back(scope);
    else
      return fail(Code::validation, "scope \"" + scope + "\": write tool:execute@server/tool, tool:read or gmail.send");
  }
  return scopes;
}

void write_scopes(json::Writer& w, PermissionSet permissions, const std::vector<Grant>& grants,
                  const std::vector<std::string>& dotted) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < kPermissionNames.size(); ++i) {
    if (permissions.has(static_cast<Permission>(i))) texts.emplace_back(kPermissionNames[i]);
  }
  for (const Grant& grant : grants) texts.push_back(to_string(grant));
  texts.insert(texts.end(), dotted.begin(), dotted.end());
  write_texts(w, "scopes", texts);
}

}  // namespace sallyport::api
