// The keys of access tokens, and what the gateway thinks of one token (RFC 7517 5, RFC 7519, RFC 8725).
#include "api/handlers.h"
#include "api/people.h"
#include "api/standing.h"
#include "core/encoding.h"
#include "crypto/jws.h"
#include "engines/token/key_ring.h"

namespace sallyport::api {
namespace {

// A ring's key has the ends of time where it has no time.
std::optional<WallTime> known(WallTime time) {
  return time == WallTime::max() || time == WallTime{} ? std::nullopt : std::optional(time);
}

std::string_view status_of(const token::RingKey& key, bool signs, WallTime now) {
  if (signs) return "active";
  if (key.revoked) return "revoked";
  return key.verifies_until > now ? "retiring" : "expired";
}

// One of the token's first two parts as raw JSON; null where it is none. Nothing is believed here.
void write_part(json::Writer& w, std::string_view name, std::string_view encoded) {
  w.key(name);
  const auto bytes = base64url_decode(encoded);
  const auto read = bytes ? json::read(std::string(as_text(*bytes)), {.bytes_max = crypto::kJwsBytesMax})
                          : Result<json::Document>(fail(Code::validation));
  if (read && read->root().is_object()) w.raw(read->root().raw());
  else w.null();
}

}  // namespace

// Public: who verifies our tokens must be able to. Empty under HS256: a symmetric key is never published.
Task<RestAnswer> jwks(Call& call) {
  const auto& keys = call.request.snapshot->token_keys;
  RestAnswer answer;
  answer.content_type = "application/jwk-set+json";
  answer.body = keys ? keys->jwks(call.request.now) : R"({"keys":[]})";
  answer.headers.emplace_back("Cache-Control", "public, max-age=300");
  co_return answer;
}

Task<RestAnswer> list_token_keys(Call& call) {
  const auto keys = call.request.snapshot->token_keys;
  std::vector<std::string> items;
  if (!keys) co_return co_await list(call, items);
  for (const token::RingKey& key : keys->keys()) {
    json::Writer w;
    w.object().member("id", key.id).member("algorithm", crypto::name_of(key.key->algorithm()));
    w.member("status", status_of(key, &key == keys->signer(), call.request.now));
    w.member("source", key.id.empty() ? "auth.secret_key" : "gateway");
    write_time(w, "created_at", known(key.created_at));
    write_time(w, "rotates_at", known(key.rotates_at));
    write_time(w, "retired_at", known(key.retired_at));
    write_time(w, "verifies_until", known(key.verifies_until));
    w.end_object();
    items.push_back(w.take());
  }
  co_return co_await list(call, items);
}

Task<RestAnswer> rotate_token_keys(Call& call) {
  const auto revoke = flag_field(call.root(), "revoke_old", false);
  if (!revoke) co_return refuse(call, revoke.error());
  auto& control = call.api.deps().control;
  auto id = co_await run_for_caller<std::string>(call, control.token_keys().rotate(*revoke));
  if (!id) co_return refuse(call, id.error());
  json::Writer w;
  w.object().member("id", *id).member("status", "active").member("revoked_old", *revoke).end_object();
  RestAnswer answer = ok(w);
  answer.reason = "token-key:" + *id;
  co_return answer;
}

Task<RestAnswer> inspect_token(Call& call) {
  const auto token = text_field(call.root(), "token");
  if (!token) co_return refuse(call, token.error());
  if (!crypto::looks_like_jws(*token) || token->size() > crypto::kJwsBytesMax) {
    co_return refuse(call, {Code::validation, "token"},
                     "token must be a JWT: three parts with two dots, at most 8 KiB");
  }
  const auto principal = call.api.deps().identify(*call.request.snapshot, *token, call.request.now);
  json::Writer w;
  w.object().member("accepted", principal.has_value()).key("reason");
  if (principal) w.null();
  else w.value(principal.error().detail.substr(0, principal.error().detail.find(' ')));
  w.key("principal");
  if (principal) w.value((*principal)->id);
  else w.null();
  const std::size_t dot = token->find('.');
  write_part(w, "header", std::string_view(*token).substr(0, dot));
  write_part(w, "claims", std::string_view(*token).substr(dot + 1, token->rfind('.') - dot - 1));
  w.end_object();
  RestAnswer answer = ok(w);
  answer.headers.emplace_back("Cache-Control", "no-store");
  co_return answer;
}

}  // namespace sallyport::api
