// Client certificates and whom they stand for (S2-26).
#include "api/people.h"
#include "api/standing.h"
#include "net/tls_terms.h"

namespace sallyport::api {

namespace {

std::string name_of(const Principals& all, const std::string& principal) {
  if (principal.starts_with("user:")) {
    const auto user = all.users.find(std::string_view(principal).substr(5));
    return user == all.users.end() ? std::string() : user->second->name;
  }
  const auto key = all.keys.find(std::string_view(principal).substr(4));
  return key == all.keys.end() ? std::string() : key->second->name;
}

std::string text_of(const Call& call, const CertificateMapping& mapping) {
  json::Writer w;
  w.object().member("id", mapping.id).member("name", mapping.name).member("principal", mapping.principal);
  w.member("issuer", mapping.issuer);
  w.member("principal_name", name_of(*call.request.snapshot->principals, mapping.principal));
  w.member("made_by", mapping.made_by).member("created_at", iso_time(mapping.created_at)).end_object();
  return w.take();
}

std::string audited(const CertificateMapping& mapping) {
  const std::string issuer = mapping.issuer.empty() ? "" : " issuer=" + mapping.issuer;
  return "certificate=" + mapping.id + " name=" + mapping.name + issuer + " principal=" + mapping.principal;
}

// "name" as it is, or the fingerprint of "certificate": one of the two.
Result<std::string> read_name(const Call& call) {
  SP_TRY(std::string name, text_field(call.root(), "name"));
  SP_TRY(const std::string pem, text_field(call.root(), "certificate"));
  if (name.empty() == pem.empty()) return fail(Code::validation, "give either name or certificate");
  if (!name.empty()) return name;
  const auto fingerprint = net::certificate_fingerprint(pem);
  if (!fingerprint) return fail(Code::validation, fingerprint.error().detail);
  return "sha256:" + *fingerprint;
}

// "issuer", the certificate of an authority: the digest of its key, which stays when it is renewed.
Result<std::string> read_issuer(const Call& call) {
  SP_TRY(const std::string pem, text_field(call.root(), "issuer"));
  if (pem.empty()) return pem;
  auto key = net::authority_key(pem);
  if (!key) return fail(Code::validation, key.error().detail);
  return *std::move(key);
}

// "user", by name or id, or "key", by id: one of the two.
Result<std::string> read_principal(const Call& call) {
  SP_TRY(const std::string user, text_field(call.root(), "user"));
  SP_TRY(const std::string key, text_field(call.root(), "key"));
  if (user.empty() == key.empty()) return fail(Code::validation, "give either user or key");
  if (!key.empty()) {
    SP_CHECK(permit_action(call, Permission::key_write));
    return "key:" + key;
  }
  const UserRecord* const found = find_user(*call.request.snapshot, user);
  if (found == nullptr) return fail(Code::not_found, "no user " + user);
  return "user:" + found->id;
}

}  // namespace

Task<RestAnswer> list_identities(Call& call) {
  std::vector<std::string> items;
  for (const auto& [id, mapping] : call.request.snapshot->certificates->by_id) items.push_back(text_of(call, *mapping));
  co_return co_await list(call, items);
}

Task<RestAnswer> add_identity(Call& call) {
  auto name = read_name(call);
  if (!name) co_return refuse(call, name.error());
  auto issuer = read_issuer(call);
  if (!issuer) co_return refuse(call, issuer.error());
  co_await prepare(call, [&] { (void)permit_action(call, Permission::key_write); });
  auto principal = read_principal(call);
  if (!principal) co_return refuse(call, principal.error());
  auto& desk = call.api.deps().control.certificates();
  const auto made = co_await run_for_caller<CertificateMapping>(
      call, desk.add({*std::move(name), *std::move(issuer), *std::move(principal)}, call.request.principal));
  if (!made) co_return refuse_gift(call, made.error());
  RestAnswer answer;
  answer.status = 201;
  answer.body = text_of(call, *made);
  answer.reason = audited(*made);
  co_return answer;
}

Task<RestAnswer> remove_identity(Call& call) {
  auto& desk = call.api.deps().control.certificates();
  const auto gone =
      co_await run_for_caller<CertificateMapping>(call, desk.remove(call.parts[0], call.request.principal));
  if (!gone) co_return refuse_gift(call, gone.error());
  RestAnswer answer = no_content();
  answer.reason = audited(*gone);
  co_return answer;
}

}  // namespace sallyport::api
