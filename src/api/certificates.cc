// The built-in certificate authority (S2-27). A private key that leaves the gateway does so once, in the answer that made it.
#include "api/certificates.h"

#include <algorithm>

#include "api/people.h"
#include "api/standing.h"
#include "control/certificate_reach.h"
#include "control/certificate_terms.h"
#include "control/certificates.h"
#include "core/encoding.h"
#include "engines/rbac/rbac.h"

namespace sallyport::api {
namespace {

using control::CertificateKind;
using control::CertificateWish;
using control::IssuedCertificate;
using control::NewCertificate;

std::string_view status_of(const IssuedCertificate& one, WallTime now) {
  if (one.revoked_at) return "revoked";
  return one.not_after <= now ? "expired" : "valid";
}

bool ends_soon(const IssuedCertificate& one, WallTime now) {
  if (one.revoked_at || !one.replaced_by.empty()) return false;
  const auto state = control::state_of(one.not_before, one.not_after, now);
  return state != control::CertificateState::good && state != control::CertificateState::ended;
}

// Without the end of the object.
void begin_certificate(json::Writer& w, const IssuedCertificate& one, WallTime now) {
  w.object().member("serial", one.serial).member("kind", name_of(one.kind)).member("name", one.name);
  w.key("alt_names").array();
  for (const auto& name : one.alt_names) w.value(crypto::to_string(name));
  w.end_array().member("user", one.user_id).member("key_type", crypto::name_of(one.key_type));
  w.member("status", status_of(one, now)).member("ends_soon", ends_soon(one, now)).member("in_use", one.in_use);
  w.member("issued_at", iso_time(one.issued_at)).member("not_before", iso_time(one.not_before));
  w.member("not_after", iso_time(one.not_after));
  write_time(w, "renews_at", one.renew_at == WallTime{} || !one.in_use ? std::nullopt : std::optional(one.renew_at));
  w.member("issued_by", one.issued_by).member("replaced_by", one.replaced_by);
  write_time(w, "revoked_at", one.revoked_at);
  w.key("reason");
  if (one.revoked_at) w.value(crypto::name_of(one.reason));
  else w.null();
  w.member("fingerprint_sha256", one.fingerprint_sha256).member("spki_sha256", one.spki_sha256);
}

std::string text_of(const IssuedCertificate& one, WallTime now) {
  json::Writer w;
  begin_certificate(w, one, now);
  w.end_object();
  return w.take();
}

std::string audit_reason(const IssuedCertificate& one) {
  return "certificate=" + one.serial + " kind=" + std::string(name_of(one.kind)) +
         (one.user_id.empty() ? "" : " user=" + one.user_id);
}

RestAnswer shown(const Call& call, const IssuedCertificate& one, int status = 200) {
  RestAnswer answer;
  answer.status = status;
  answer.body = text_of(one, call.request.now);
  answer.reason = audit_reason(one);
  return answer;
}

std::string base64(std::string_view bytes) {
  std::string out = base64url_encode(as_bytes(bytes));
  std::ranges::replace(out, '-', '+');
  std::ranges::replace(out, '_', '/');
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

Result<Secret> pkcs12_of(const NewCertificate& made, const Secret& password) {
  SP_TRY(const auto key, crypto::CertificateKey::from_pem(made.key_pem.reveal()));
  SP_TRY(const auto certificate, crypto::Certificate::from_pem(made.certificate_pem));
  SP_TRY(const auto chain, crypto::Certificate::chain_from_pem(made.authority_pem));
  return crypto::make_pkcs12(key, certificate, chain, made.record.name, password);
}

struct Issued {
  NewCertificate made;
  Secret pkcs12;  // empty: none was asked for
};

// What is issued, with its key where it is not the gateway's own.
RestAnswer handed_out(const Call& call, const Issued& issued) {
  const NewCertificate& made = issued.made;
  json::Writer w;
  begin_certificate(w, made.record, call.request.now);
  w.member("certificate", made.certificate_pem).member("authority", made.authority_pem);
  if (!made.key_pem.empty()) w.member("private_key", made.key_pem.reveal());
  if (!issued.pkcs12.empty()) w.member("pkcs12", base64(issued.pkcs12.reveal()));
  w.end_object();
  RestAnswer answer = ok(w, 201);
  answer.reason = audit_reason(made.record);
  answer.headers.emplace_back("Cache-Control", "no-store");
  return answer;
}

// Whoever holds the certificate of somebody is taken for them: so nobody gets one of somebody who may more than they do, by
// any name that could be read as theirs, nor by one that is said to stand for them (sallyport identity; S4-4).
Result<void> check_names(const ApiDeps& deps, const Principal& caller, const IssuedCertificate& like) {
  const SnapshotPtr newest = deps.control.snapshot();
  const Snapshot& snapshot = *newest;
  for (const auto& [id, user] : snapshot.principals->users) {
    const auto is_theirs = [&](const std::string& text) {
      return !text.empty() && (text == user->name || text == id || text == user->email);
    };
    const bool named = is_theirs(like.user_id) || is_theirs(like.name) ||
                       std::ranges::any_of(like.alt_names, [&](const auto& name) { return is_theirs(name.value); });
    if (named) SP_CHECK(control::check_over(snapshot, caller, "user:" + id));
  }
  // Those of the desk: a mapping that is on its way to the workers counts already.
  for (const auto& mapping : control::mappings_of(*deps.control.certificates().all(), control::names_of(like), {})) {
    SP_CHECK(control::check_over(snapshot, caller, mapping->principal));
  }
  return {};
}

// Whoever has a server's certificate of this authority is that server, and this gateway where it names it, to all who trust the
// authority: so whatever says who a server is, and the authority itself, is for admins, whatever a policy lets others do.
Result<void> check_kind(const Principal& caller, CertificateKind kind) {
  if (kind == CertificateKind::client || rbac::has_role(caller, "admin")) return {};
  return fail(Code::access_denied, "Only an admin makes, renews or revokes the authority and certificates of servers");
}

Result<void> check_change(const ApiDeps& deps, const Principal& caller, const IssuedCertificate& like) {
  SP_CHECK(check_kind(caller, like.kind));
  return check_names(deps, caller, like);
}

Result<std::string> id_of(const Snapshot& snapshot, const std::string& user) {
  if (user.empty()) return std::string();
  const UserRecord* const found = find_user(snapshot, user);
  if (found == nullptr) return fail(Code::not_found, "no user " + user);
  if (!found->enabled) return fail(Code::conflict, "the user is disabled");
  return found->id;
}

Task<Result<NewCertificate>> issue_there(ApiDeps& deps, PrincipalPtr caller, CertificateWish wish, std::string user) {
  const SnapshotPtr snapshot = deps.control.snapshot();
  SP_CO_TRY(wish.user_id, id_of(*snapshot, user));
  IssuedCertificate like;
  like.kind = wish.kind;
  like.name = wish.name;
  like.alt_names = wish.alt_names;
  like.user_id = wish.user_id;
  for (const std::string& uri : {control::client_uri(wish.name), control::user_uri(wish.user_id)}) {
    like.alt_names.push_back({crypto::AltNameKind::uri, uri});
  }
  SP_CO_CHECK(check_change(deps, *caller, like));
  co_return deps.certificates->issue(std::move(wish), caller->id);
}

Task<Result<NewCertificate>> renew_there(ApiDeps& deps, PrincipalPtr caller, std::string which, bool revoke_old) {
  SP_CO_CHECK(deps.certificates->refresh());
  SP_CO_TRY(const IssuedCertificate old, deps.certificates->find(which));
  SP_CO_CHECK(check_change(deps, *caller, old));
  co_return deps.certificates->renew(old.serial, revoke_old, caller->id);
}

Task<Result<IssuedCertificate>> revoke_there(ApiDeps& deps, PrincipalPtr caller, std::string serial,
                                             crypto::RevocationReason reason) {
  SP_CO_CHECK(deps.certificates->refresh());
  SP_CO_TRY(const IssuedCertificate old, deps.certificates->find(serial));
  SP_CO_CHECK(check_change(deps, *caller, old));
  co_return deps.certificates->revoke(serial, reason, caller->id);
}

Task<Result<std::vector<IssuedCertificate>>> list_there(control::Certificates& certificates) {
  SP_CO_CHECK(certificates.refresh());
  co_return certificates.list();
}

Task<Result<IssuedCertificate>> find_there(control::Certificates& certificates, std::string which) {
  SP_CO_CHECK(certificates.refresh());
  co_return certificates.find(which);
}

struct Authority {
  IssuedCertificate record;
  std::string pem;
  control::CertificateIndex list;  // its times alone
};

Task<Result<Authority>> authority_there(control::Certificates& certificates) {
  SP_CO_CHECK(certificates.refresh());
  Authority out;
  SP_CO_TRY(out.pem, certificates.authority_pem());
  SP_CO_TRY(out.record, certificates.find("ca"));
  out.list.crl_number = certificates.index().crl_number;
  out.list.crl_update = certificates.index().crl_update;
  out.list.crl_next = certificates.index().crl_next;
  co_return out;
}

Task<Result<NewCertificate>> init_there(ApiDeps& deps, PrincipalPtr caller, std::vector<std::string> hosts,
                                        std::optional<crypto::CertificateKeyType> key_type) {
  SP_CO_CHECK(check_kind(*caller, CertificateKind::authority));
  co_return deps.certificates->init(hosts, key_type, caller->id);
}

// Keys that were made beside the control executor, where RSA would hold up everybody for a second or more.
using FreshKeys = std::vector<std::pair<crypto::CertificateKeyType, std::shared_ptr<crypto::CertificateKey>>>;

// What will be made: the successor of `which`, or with `type` something new.
struct NewKeys {
  std::string which;
  std::optional<crypto::CertificateKeyType> type;
  bool authority = false;  // where there is none, its own too
  bool if_in_use = false;  // of `which`: no successor else
  CertificateKind kind = CertificateKind::authority;
};

// None for whom `work` would refuse.
Task<Result<FreshKeys>> keys_there(control::Certificates& certificates, PrincipalPtr caller, NewKeys wanted) {
  SP_CO_CHECK(certificates.refresh());
  FreshKeys out;
  if (wanted.which.empty()) {
    SP_CO_CHECK(check_kind(*caller, wanted.kind));
    const auto type = certificates.key_type(wanted.type);
    out.assign(wanted.authority && !certificates.ready() ? 2 : 1, {type, nullptr});
  } else if (const auto old = certificates.find(wanted.which); old && old->kind != CertificateKind::authority) {
    SP_CO_CHECK(check_kind(*caller, old->kind));
    if (old->in_use || !wanted.if_in_use) out.emplace_back(old->key_type, nullptr);
  }
  std::erase_if(out, [](const auto& one) { return one.first != crypto::CertificateKeyType::rsa_3072; });
  co_return out;
}

template <class T>
Task<Result<T>> with_keys(control::Certificates& certificates, FreshKeys keys, Task<Result<T>> work) {
  for (auto& [type, key] : keys) certificates.stock(type, std::move(*key));
  co_return co_await std::move(work);
}

// As run_for_caller, once the keys are there that `work` will need.
template <class T>
Task<Result<T>> change(Call& call, NewKeys wanted, Task<Result<T>> work) {
  ApiDeps& deps = call.api.deps();
  SP_CO_TRY(auto keys, co_await run_for_caller<FreshKeys>(
                           call, keys_there(*deps.certificates, call.request.principal, std::move(wanted))));
  for (auto& [type, key] : keys) {
    SP_CO_TRY(key, co_await deps.aside->run<std::shared_ptr<crypto::CertificateKey>>(
                       person_of(call.principal()), [kind = type] { return crypto::fresh_certificate_key(kind); }));
  }
  co_return co_await run_for_caller<T>(call, with_keys<T>(*deps.certificates, std::move(keys), std::move(work)));
}

// Sealing the file takes tens of milliseconds, which neither a worker has nor the control thread.
Task<Result<std::shared_ptr<const Issued>>> with_pkcs12(Call& call, NewCertificate made, Secret password) {
  const auto issued = std::make_shared<Issued>(std::move(made), Secret());
  if (password.empty() || issued->made.key_pem.empty()) co_return issued;
  const auto shared = std::make_shared<const Secret>(std::move(password));
  co_return co_await call.api.deps().aside->run<std::shared_ptr<const Issued>>(
      person_of(call.principal()), [issued, shared]() -> Result<std::shared_ptr<const Issued>> {
        SP_TRY(issued->pkcs12, pkcs12_of(issued->made, *shared));
        return issued;
      });
}

Result<std::optional<crypto::CertificateKeyType>> read_key_type(json::Value body) {
  SP_TRY(const std::string text, text_field(body, "key_type"));
  if (text.empty()) return std::optional<crypto::CertificateKeyType>();
  const auto type = crypto::certificate_key_type(text);
  if (!type) return fail(Code::validation, "key_type: ec-p256 or rsa-3072");
  return type;
}

Result<CertificateWish> read_wish(json::Value body) {
  CertificateWish wish;
  SP_TRY(const std::string kind, text_field(body, "kind"));
  wish.kind = control::certificate_kind(kind).value_or(CertificateKind::authority);
  SP_TRY(wish.name, text_field(body, "name"));
  SP_TRY(wish.key_type, read_key_type(body));
  SP_TRY(const auto hosts, texts_field(body, "hosts"));
  for (const std::string& host : hosts) {
    SP_TRY(auto name, crypto::host_name(host));
    wish.alt_names.push_back(std::move(name));
  }
  using Field = std::pair<std::string_view, crypto::AltNameKind>;
  for (const auto& [field, what] :
       {Field{"uris", crypto::AltNameKind::uri}, Field{"emails", crypto::AltNameKind::email}}) {
    SP_TRY(const auto texts, texts_field(body, field));
    for (const std::string& text : texts) {
      SP_TRY(auto name, crypto::alt_name(what, text));
      wish.alt_names.push_back(std::move(name));
    }
  }
  if (body.find("days")) {
    SP_TRY(const std::int64_t days, number_field(body, "days", 0));
    wish.life = std::chrono::days(std::clamp<std::int64_t>(days, 0, 100'000));
  }
  return wish;
}

}  // namespace

Task<RestAnswer> list_certificates(Call& call) {
  const auto all =
      co_await run_for_caller<std::vector<IssuedCertificate>>(call, list_there(*call.api.deps().certificates));
  if (!all) co_return refuse(call, all.error());
  std::vector<std::string> items;
  for (const IssuedCertificate& one : *all) items.push_back(text_of(one, call.request.now));
  co_return co_await list(call, items);
}

Task<RestAnswer> show_certificate(Call& call) {
  const auto found =
      co_await run_for_caller<IssuedCertificate>(call, find_there(*call.api.deps().certificates, call.parts[0]));
  co_return found ? shown(call, *found) : refuse(call, found.error());
}

Task<RestAnswer> show_authority(Call& call) {
  const auto found = co_await run_for_caller<Authority>(call, authority_there(*call.api.deps().certificates));
  if (!found) {
    const bool none = found.error().code == Code::not_found;
    co_return refuse(call, found.error(), none ? "There is no authority yet: sallyport certs init --host NAME" : "");
  }
  json::Writer w;
  begin_certificate(w, found->record, call.request.now);
  w.member("certificate", found->pem).key("revocations").object().member("number", found->list.crl_number);
  w.member("updated_at", iso_time(found->list.crl_update)).member("next_update", iso_time(found->list.crl_next));
  w.end_object().end_object();
  co_return ok(w);
}

Task<RestAnswer> init_authority(Call& call) {
  auto hosts = texts_field(call.root(), "hosts");
  const auto key_type = read_key_type(call.root());
  if (!hosts) co_return refuse(call, hosts.error());
  if (!key_type) co_return refuse(call, key_type.error());
  auto work = init_there(call.api.deps(), call.request.principal, std::move(*hosts), *key_type);
  const auto made = co_await change<NewCertificate>(call, {{}, *key_type, true}, std::move(work));
  co_return made ? shown(call, made->record, 201) : refuse_gift(call, made.error());
}

Task<RestAnswer> issue_certificate(Call& call) {
  auto wish = read_wish(call.root());
  if (!wish) co_return refuse(call, wish.error());
  auto user = text_field(call.root(), "user"), typed = text_field(call.root(), "password");
  if (!user) co_return refuse(call, user.error());
  if (!typed) co_return refuse(call, typed.error());
  Secret password(std::move(*typed));
  if (!password.empty() && password.size() < 8) {
    co_return refuse(call, {Code::validation, "password: at least 8 bytes"});
  }
  const NewKeys keys{{}, wish->key_type, false, false, wish->kind};
  auto work = issue_there(call.api.deps(), call.request.principal, std::move(*wish), std::move(*user));
  auto made = co_await change<NewCertificate>(call, keys, std::move(work));
  if (!made) co_return refuse_gift(call, made.error());
  const auto issued = co_await with_pkcs12(call, *std::move(made), std::move(password));
  co_return issued ? handed_out(call, **issued) : refuse(call, issued.error());
}

Task<RestAnswer> renew_certificate(Call& call) {
  const auto revoke = flag_field(call.root(), "revoke_old", false);
  if (!revoke) co_return refuse(call, revoke.error());
  auto work = renew_there(call.api.deps(), call.request.principal, call.parts[0], *revoke);
  auto made = co_await change<NewCertificate>(call, {call.parts[0]}, std::move(work));
  co_return made ? handed_out(call, {*std::move(made), {}}) : refuse_gift(call, made.error());
}

Task<RestAnswer> revoke_certificate(Call& call) {
  const auto text = text_field(call.root(), "reason", "unspecified");
  if (!text) co_return refuse(call, text.error());
  const auto reason = crypto::revocation_reason(*text);
  if (!reason) co_return refuse(call, {Code::validation, "reason"});
  auto work = revoke_there(call.api.deps(), call.request.principal, call.parts[0], *reason);
  const auto done = co_await change<IssuedCertificate>(call, {call.parts[0], {}, false, true}, std::move(work));
  if (!done) co_return refuse_gift(call, done.error());
  RestAnswer answer = shown(call, *done);
  answer.reason += " reason=" + *text;
  co_return answer;
}

}  // namespace sallyport::api
