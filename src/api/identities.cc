// Client certificates and whom they stand for (S2-26).
#include "api/people.h"
#include "api/standing.h"
#include "control/certificate_reach.h"
#include "control/certificates.h"
#include "engines/rbac/rbac.h"
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

// By which it may stand for somebody.
std::vector<std::string> names_of(const net::PeerCertificate& certificate) {
  std::vector<std::string> out{"sha256:" + certificate.fingerprint_sha256};
  for (const std::string& name : certificate.uris) out.push_back("uri:" + name);
  for (const std::string& name : certificate.dns) out.push_back("dns:" + name);
  for (const std::string& name : certificate.emails) out.push_back("email:" + name);
  return out;
}

// "name" as it is, or the fingerprint of "certificate": one of the two.
Result<control::MappingWish> read_wish(const Call& call) {
  control::MappingWish wish;
  SP_TRY(wish.what.name, text_field(call.root(), "name"));
  SP_TRY(const std::string pem, text_field(call.root(), "certificate"));
  SP_TRY(wish.including, texts_field(call.root(), "including"));
  if (wish.what.name.empty() == pem.empty()) return fail(Code::validation, "give either name or certificate");
  if (!pem.empty()) {
    const auto certificate = net::first_certificate(pem);
    if (!certificate) return fail(Code::validation, certificate.error().detail);
    wish.shown = names_of(*certificate);
    wish.what.name = wish.shown.front();
  }
  SP_TRY(wish.what.name, control::certificate_name(wish.what.name));
  return wish;
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

// The desk begins at once, so nothing is issued between the look and the mapping.
Task<Result<CertificateMapping>> map_there(ApiDeps& deps, PrincipalPtr caller, control::MappingWish wish) {
  auto& desk = deps.control.certificates();
  SP_CO_CHECK(control::check_over(*deps.control.snapshot(), *caller, wish.what.principal));
  SP_CO_CHECK(deps.certificates->refresh());
  SP_CO_CHECK(control::check_reach(*desk.all(), deps.certificates->index(), wish, rbac::has_role(*caller, "admin"),
                                   deps.clock.wall()));
  co_return co_await desk.add(std::move(wish.what), std::move(caller));
}

}  // namespace

Task<RestAnswer> list_identities(Call& call) {
  std::vector<std::string> items;
  for (const auto& [id, mapping] : call.request.snapshot->certificates->by_id) items.push_back(text_of(call, *mapping));
  co_return co_await list(call, items);
}

Task<RestAnswer> add_identity(Call& call) {
  auto wish = read_wish(call);
  if (!wish) co_return refuse(call, wish.error());
  auto issuer = read_issuer(call);
  if (!issuer) co_return refuse(call, issuer.error());
  wish->what.issuer = *std::move(issuer);
  co_await prepare(call, [&] { (void)permit_action(call, Permission::key_write); });
  auto principal = read_principal(call);
  if (!principal) co_return refuse(call, principal.error());
  wish->what.principal = *std::move(principal);
  auto work = map_there(call.api.deps(), call.request.principal, *std::move(wish));
  const auto made = co_await run_for_caller<CertificateMapping>(call, std::move(work));
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
