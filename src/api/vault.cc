// Secrets as what is said of them, and their changes: never a value in an answer. Those of the gateway are for holders of
// vault:read and vault:write, those of a person for that person. To all others they are not there (S4-4).
#include "api/vault.h"

#include "api/people.h"
#include "api/policy_questions.h"
#include "core/encoding.h"
#include "core/random.h"

namespace sallyport::api {
namespace {

using control::VaultDesk;
using control::VaultName;
using control::VaultPut;
using control::VaultSecret;

void write_versions(json::Writer& w, const VaultSecret& secret) {
  w.key("versions").array();
  for (const auto& version : secret.versions) {
    w.object().member("version", std::uint64_t{version.number}).member("created_at", iso_time(version.created_at));
    w.member("created_by", version.created_by).member("destroyed", version.destroyed);
    w.member("current", version.number == secret.current).end_object();
  }
  w.end_array();
}

// What only people change; the use of it follows.
void begin_secret(json::Writer& w, const VaultSecret& secret, WallTime now) {
  w.object().member("name", secret.name).member("owner", secret.owner).member("description", secret.description);
  write_texts(w, "labels", secret.labels);
  w.member("created_at", iso_time(secret.created_at)).member("updated_at", iso_time(secret.updated_at));
  write_time(w, "expires_at", secret.expires_at);
  w.member("expired", secret.expires_at && now >= *secret.expires_at);
  w.member("version", std::uint64_t{secret.current});
}

void end_secret(json::Writer& w, const VaultSecret& secret) {
  write_time(w, "last_used_at", secret.last_used_at);
  w.member("use_count", secret.use_count).end_object();
}

RestAnswer shown(const Call& call, const VaultSecret& secret) {
  json::Writer w;
  begin_secret(w, secret, call.request.now);
  write_versions(w, secret);
  std::string version(w.text());
  end_secret(w, secret);
  RestAnswer answer = ok(w);
  answer.version = std::move(version);
  answer.reason = vault_text({secret.owner, secret.name}, secret.current);
  return answer;
}

RestAnswer shown(const Call& call, const Result<VaultSecret>& secret) {
  return secret ? shown(call, *secret) : refuse(call, secret.error());
}

bool given(json::Value body, std::string_view name) {
  const auto value = body.find(name);
  return value && !value->is_null();
}

Result<Secret> decoded(std::string text) {
  const auto bytes = base64url_decode(text);
  wipe(text);
  if (!bytes) return fail(Code::validation, "value_base64url: base64url without padding");
  return Secret(std::string(as_text(*bytes)));
}

Result<Secret> generated(std::int64_t bytes) {
  if (bytes < 16 || bytes > 48) return fail(Code::validation, "generate: 16 to 48 bytes");
  SystemRandom random;
  return Secret(random_id(random, static_cast<std::size_t>(bytes)));
}

// Where the body has a value, in whatever form but the sealed one.
Result<std::optional<Secret>> read_value(json::Value body) {
  int forms = 0;
  for (const char* form : {"value", "value_base64url", "generate", "sealed"}) forms += given(body, form) ? 1 : 0;
  if (forms > 1) return fail(Code::validation, "value, value_base64url, generate and sealed exclude each other");
  if (given(body, "value")) {
    SP_TRY(std::string text, text_field(body, "value"));
    return Secret(std::move(text));
  }
  if (given(body, "value_base64url")) {
    SP_TRY(std::string text, text_field(body, "value_base64url"));
    SP_TRY(Secret value, decoded(std::move(text)));
    return value;
  }
  if (!given(body, "generate")) return std::optional<Secret>();
  SP_TRY(const auto bytes, number_field(body, "generate", 0));
  SP_TRY(Secret value, generated(bytes));
  return value;
}

Result<VaultPut> read_put(const Call& call, std::string owner) {
  const json::Value body = call.root();
  VaultPut order;
  order.where = {std::move(owner), call.parts[0]};
  order.author = call.principal().id;
  SP_TRY(order.value, read_value(body));
  if (given(body, "description")) {
    SP_TRY(order.description, text_field(body, "description"));
  }
  if (given(body, "labels")) {
    SP_TRY(order.labels, texts_field(body, "labels"));
  }
  if (body.find("expires_at")) {
    SP_TRY(const auto time, read_time(body, "expires_at"));
    if (time && *time <= call.request.now) return fail(Code::validation, "expires_at lies in the past");
    order.expires_at = time;
  }
  return order;
}

Result<std::string> id_of_owner(const Snapshot& snapshot, const std::string& owner) {
  const Principals& principals = *snapshot.principals;
  if (owner.starts_with("user:")) {
    const UserRecord* const user = find_user(snapshot, owner.substr(5));
    if (user != nullptr) return "user:" + user->id;
  } else if (owner.starts_with("key:") && principals.keys.contains(std::string_view(owner).substr(4))) {
    return owner;
  }
  return fail(Code::validation, "owner: me, user:NAME or key:ID of one that is there");
}

}  // namespace

std::string vault_text(const VaultName& where, std::uint64_t version) {
  std::string out = "secret=" + where.name;
  if (!where.owner.empty()) out += " owner=" + where.owner;
  return version == 0 ? out : out + " version=" + std::to_string(version);
}

Result<std::string> vault_owner(const Call& call, VaultWant want) {
  const auto owner = query_value(call.request.query, "owner");
  const Principal& caller = call.principal();
  if (!owner || owner->empty()) return std::string();
  if (owner != "me") {
    if (want == VaultWant::value) return fail(Code::access_denied, "another's own secret is read by nobody else");
    return id_of_owner(*call.request.snapshot, *owner);
  }
  // An agent's key is in the hands of what an attacker may talk to; its person's credentials are not for it to read.
  if (caller.kind == PrincipalKind::user) return caller.id;
  return fail(Code::access_denied, "people keep secrets of their own; a key's are kept by who holds vault:write");
}

Task<RestAnswer> list_secrets(Call& call) {
  const auto owner = vault_owner(call, VaultWant::said);
  if (!owner) co_return refuse(call, owner.error());
  const auto found = co_await ask_vault<std::vector<VaultSecret>>(
      call, [owner = *owner](VaultDesk& desk) { return Result<std::vector<VaultSecret>>(desk.vault.list(owner)); });
  if (!found) co_return refuse(call, found.error());
  co_return co_await list(call, ListOf{found->size(), [&](json::Writer& w, std::size_t i) {
                                         begin_secret(w, (*found)[i], call.request.now);
                                         end_secret(w, (*found)[i]);
                                       }});
}

Task<RestAnswer> show_secret(Call& call) {
  const auto owner = vault_owner(call, VaultWant::said);
  if (!owner) co_return refuse(call, owner.error());
  const VaultName where{*owner, call.parts[0]};
  co_return shown(call,
                  co_await ask_vault<VaultSecret>(call, [where](VaultDesk& desk) { return desk.vault.find(where); }));
}

namespace {

// What an envelope holds, for a put that lacks nothing else. Beside the control thread: garbage takes as long as what was sealed.
Task<Result<Secret>> opened(Call& call, std::shared_ptr<const VaultPut> order, std::string envelope) {
  using Opening = control::KeyExchange::Opening;
  SP_CO_TRY(const Opening opening,
            co_await ask_vault<Opening>(call, [order, envelope](VaultDesk& desk) -> Result<Opening> {
              SP_CHECK(desk.vault.drafted(*order, true));
              return desk.exchange.admit(order->where, envelope);
            }));
  co_return co_await call.api.deps().aside->run<Secret>(person_of(call.principal()),
                                                        [opening, envelope] { return opening.open(envelope); });
}

}  // namespace

Task<RestAnswer> put_secret(Call& call) {
  const auto owner = vault_owner(call, VaultWant::said);
  if (!owner) co_return refuse(call, owner.error());
  auto order = read_put(call, *owner);
  if (!order) co_return refuse(call, order.error());
  auto sealed = text_field(call.root(), "sealed");
  if (!sealed) co_return refuse(call, sealed.error());
  wipe(call.request.body);
  auto shared = std::make_shared<VaultPut>(std::move(*order));  // a lambda that is moved only by copies of this
  if (!sealed->empty()) {
    auto value = co_await opened(call, shared, *sealed);
    if (!value) co_return refuse_question(call, value.error());
    shared->value = *std::move(value);
  }
  co_return shown(
      call, co_await ask_vault<VaultSecret>(call, [shared, envelope = *sealed](VaultDesk& desk) -> Result<VaultSecret> {
        if (!envelope.empty()) {
          SP_CHECK(desk.vault.drafted(*shared, true));  // what is refused is not used up
          SP_CHECK(desk.exchange.take(envelope));
        }
        return desk.vault.put(std::move(*shared));
      }));
}

Task<RestAnswer> remove_secret(Call& call) {
  const auto owner = vault_owner(call, VaultWant::said);
  if (!owner) co_return refuse(call, owner.error());
  const VaultName where{*owner, call.parts[0]};
  const auto done = co_await ask_vault<void>(call, [where](VaultDesk& desk) { return desk.vault.remove(where); });
  if (!done) co_return refuse(call, done.error());
  RestAnswer answer = no_content();
  answer.reason = vault_text(where);
  co_return answer;
}

Task<RestAnswer> roll_back_secret(Call& call) {
  const auto owner = vault_owner(call, VaultWant::said);
  if (!owner) co_return refuse(call, owner.error());
  const auto version = number_field(call.root(), "version", 0);
  if (!version) co_return refuse(call, version.error());
  const VaultName where{*owner, call.parts[0]};
  co_return shown(
      call, co_await ask_vault<VaultSecret>(call, [where, to = static_cast<std::uint32_t>(*version)](VaultDesk& desk) {
        return desk.vault.roll_back(where, to);
      }));
}

Task<RestAnswer> destroy_secret_version(Call& call) {
  const auto owner = vault_owner(call, VaultWant::said);
  if (!owner) co_return refuse(call, owner.error());
  const auto version = number_field(call.root(), "version", 0);
  if (!version) co_return refuse(call, version.error());
  const VaultName where{*owner, call.parts[0]};
  const auto number = static_cast<std::uint32_t>(*version);
  RestAnswer answer = shown(call, co_await ask_vault<VaultSecret>(call, [where, number](VaultDesk& desk) {
                              return desk.vault.destroy(where, number);
                            }));
  if (answer.status == 200) answer.reason = vault_text(where, number);
  co_return answer;
}

}  // namespace sallyport::api
