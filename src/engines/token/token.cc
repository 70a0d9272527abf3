#include "engines/token/token.h"

#include <algorithm>
#include <cstdint>

#include "crypto/jws.h"
#include "json/document.h"
#include "json/writer.h"

namespace sallyport::token {
namespace {

using std::chrono::duration_cast;
using std::chrono::floor;
using std::chrono::microseconds;
using std::chrono::seconds;

constexpr std::size_t kRolesMax = 64;
constexpr std::size_t kNameBytesMax = 128;
constexpr std::int64_t kYear9999 = 253'402'300'799;

std::unexpected<Error> refused(const char* reason) { return fail(Code::unauthenticated, reason); }

// Access tokens are the one kind that there is: refresh tokens are opaque. Another kind may be signed under
// auth.secret_key, by others.
constexpr std::string_view kType = "access";

std::int64_t whole_seconds(WallTime time) noexcept { return floor<seconds>(time).time_since_epoch().count(); }

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kNameBytesMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

// Only for tokens under the operator's own secret, which others may mint too (S0-3): RFC 8725 3.1, 3.11: algorithm and
// type are ours and exact. Members that carry or point to a key (jwk, jku, x5u, x5c, kid) and crit are refused like any
// other member that is not expected. Every other key has one header, which is compared (KeyRing).
bool is_our_header(const std::string& text) {
  const auto header = json::read(text, {.bytes_max = 256, .depth_max = 2, .nodes_max = 16});
  if (!header || !header->root().is_object() || header->root().size() != 2) return false;
  const auto alg = header->root().string_at("alg");
  const auto typ = header->root().string_at("typ");
  return alg && typ && *alg == "HS256" && (*typ == "at+jwt" || *typ == "JWT");
}

Result<WallTime> time_claim(json::Value claims, std::string_view name) {
  const auto value = claims.find(name);
  const auto number = value ? value->as_int64() : std::nullopt;
  if (!number || *number < 0 || *number > kYear9999) return refused("token.time_claim");
  return WallTime(seconds(*number));
}

Result<std::vector<std::string>> roles_claim(json::Value claims) {
  const auto list = claims.find("roles");
  if (!list || !list->is_array() || list->size() > kRolesMax) return refused("token.roles");
  std::vector<std::string> roles;
  for (const json::Value role : list->elements()) {
    const auto name = role.as_string();
    if (!name || !is_name(*name)) return refused("token.roles");
    roles.emplace_back(*name);
  }
  return roles;
}

Result<void> check_binding(json::Value claims, const TokenRules& rules) {
  // `typ` in the claims beside token_type: older readers look there.
  if (claims.string_at("token_type") != kType || claims.string_at("typ") != kType) return refused("token.type");
  if (claims.string_at("iss") != std::string_view(rules.issuer)) return refused("token.issuer");
  if (claims.string_at("aud") != std::string_view(rules.audience)) return refused("token.audience");
  return {};
}

Result<TokenClaims> read_claims(json::Value claims) {
  TokenClaims out;
  const auto user = claims.string_at("user_id");
  const auto subject = claims.string_at("sub");
  const auto id = claims.string_at("jti");
  if (!user || !is_name(*user) || !subject) return refused("token.subject");
  out.of_key = *subject == "key:" + std::string(*user);
  if (!out.of_key && *subject != "user:" + std::string(*user)) return refused("token.subject");
  if (!id || !is_name(*id)) return refused("token.jti");
  const auto session = claims.string_at("sid");
  if (!session || !is_name(*session)) return refused("token.session");
  out.user_id = *user;
  out.id = *id;
  out.session_id = *session;
  SP_TRY(out.roles, roles_claim(claims));
  SP_TRY(out.issued_at, time_claim(claims, "iat"));
  SP_TRY(out.not_before, time_claim(claims, "nbf"));
  SP_TRY(out.expires_at, time_claim(claims, "exp"));
  const auto micros = claims.find("iat_us");
  const auto count = micros ? micros->as_int64() : std::nullopt;
  if (!count || *count < 0 || *count > 999'999) return refused("token.time_claim");
  out.issued_at += microseconds(*count);
  return out;
}

Result<void> check_times(const TokenClaims& claims, const TokenRules& rules, WallTime now) {
  if (claims.expires_at <= now) return refused("token.expired");
  if (claims.not_before > now + rules.future_leeway) return refused("token.not_yet_valid");
  if (claims.issued_at > now + rules.future_leeway) return refused("token.issued_in_future");
  if (claims.expires_at > claims.issued_at + rules.lifetime_max) return refused("token.lifetime");
  return {};
}

std::string write_claims(const TokenClaims& claims, const TokenRules& rules) {
  json::Writer out;
  out.object().member("sub", (claims.of_key ? "key:" : "user:") + claims.user_id).member("user_id", claims.user_id);
  out.key("roles").array();
  for (const std::string& role : claims.roles) out.value(role);
  const std::int64_t issued = whole_seconds(claims.issued_at);
  out.end_array()
      .member("jti", claims.id)
      .member("sid", claims.session_id)
      .member("iat", issued)
      .member("iat_us", (claims.issued_at - WallTime(seconds(issued))).count())
      .member("nbf", whole_seconds(claims.not_before))
      .member("exp", whole_seconds(claims.expires_at))
      .member("iss", rules.issuer)
      .member("aud", rules.audience)
      .member("typ", kType)
      .member("token_type", kType)
      .end_object();
  return out.take();
}

}  // namespace

TokenCodec::TokenCodec(TokenRules rules) : rules_(std::move(rules)) {
  rules_.future_leeway = std::clamp(rules_.future_leeway, seconds(0), seconds(30));
  rules_.lifetime_max = std::clamp(rules_.lifetime_max, seconds(60), seconds(24 * 3600));
}

Result<std::string> TokenCodec::issue(const KeyRing* keys, const TokenClaims& claims) const {
  const RingKey* const signer = keys == nullptr ? nullptr : keys->signer();
  if (signer == nullptr) return fail(Code::crypto, "there is no token signing key");
  if (!is_name(claims.user_id) || !is_name(claims.id) || !is_name(claims.session_id) ||
      claims.roles.size() > kRolesMax || !std::ranges::all_of(claims.roles, is_name)) {
    return fail(Code::validation, "user id, token id, session id or roles do not fit a token");
  }
  if (claims.expires_at > claims.issued_at + rules_.lifetime_max) {
    return fail(Code::validation, "a token may not live so long");
  }
  SP_TRY(std::string token, crypto::jws_sign(*signer->key, KeyRing::header_of(*signer), write_claims(claims, rules_)));
  if (token.size() > crypto::kJwsBytesMax) return fail(Code::limit, "a token of over 8 KiB");
  return token;
}

Result<TokenClaims> TokenCodec::verify(const KeyRing* keys, std::string_view token, WallTime now) const {
  if (token.size() > crypto::kJwsBytesMax) return refused("token.too_large");
  if (!crypto::looks_like_jws(token)) return refused("token.form");
  const RingKey* const key = keys == nullptr ? nullptr : keys->by_header(token.substr(0, token.find('.')), now);
  if (key == nullptr) return refused("token.key_unknown");
  SP_TRY(const crypto::JwsContent content, crypto::jws_verify(*key->key, token));
  if (key->id.empty() && !is_our_header(content.header)) return refused("token.header");
  // Duplicate members are refused by the reader: two parsers must not see two meanings.
  const auto document =
      json::read(content.payload, {.bytes_max = crypto::kJwsBytesMax, .depth_max = 4, .nodes_max = 512});
  if (!document || !document->root().is_object()) return refused("token.claims");
  SP_CHECK(check_binding(document->root(), rules_));
  SP_TRY(TokenClaims claims, read_claims(document->root()));
  SP_CHECK(check_times(claims, rules_, now));
  claims.key_id = key->id;
  return claims;
}

}  // namespace sallyport::token
