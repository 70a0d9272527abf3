#include "request/identity/identity.h"

#include <algorithm>
#include <utility>

#include "core/encoding.h"
#include "core/secret.h"
#include "crypto/api_key.h"
#include "crypto/hash.h"
#include "crypto/hash_keys.h"
#include "crypto/jws.h"
#include "request/identity/principal_of.h"

namespace sallyport {
namespace {

constexpr std::size_t kCredentialBytesMax = crypto::kJwsBytesMax;

std::unexpected<Error> refused(std::string reason) { return fail(Code::unauthenticated, std::move(reason)); }

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_no_case(std::string_view a, std::string_view lower_case) noexcept {
  return std::ranges::equal(a, lower_case, {}, lower);
}

// Names under which tokens travel in queries (RFC 6750 2.3 and the habits of others). Such a token is in logs and
// histories already, so it is refused, not only ignored. A name written with %-escapes is compared as written: it is
// ignored then.
bool query_has_token(std::string_view query) noexcept {
  constexpr std::string_view kNames[] = {"access_token", "api_key", "apikey", "x-api-key", "token", "authorization"};
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    const std::string_view name = pair.substr(0, pair.find('='));
    if (std::ranges::any_of(kNames, [&](std::string_view known) { return equal_no_case(name, known); })) return true;
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
  }
  return false;
}

// RFC 9110 11.4, RFC 6750 2.1: "Bearer" in any case, one space, one token.
Result<std::string_view> bearer(std::string_view value) {
  constexpr std::string_view kScheme = "bearer ";
  if (value.size() <= kScheme.size() || !equal_no_case(value.substr(0, kScheme.size()), kScheme)) {
    return refused("identity.not_bearer");
  }
  return value.substr(kScheme.size());
}

std::unexpected<Error> refused_for(const char* reason, const Principal& principal) {
  return refused(std::string(reason) + " principal=" + principal.id + " session=" + principal.session_id);
}

Result<void> check_address(const Principal& principal, std::string_view address) {
  if (principal.key == nullptr || principal.key->allows_address(address)) return {};
  return refused("identity.key_address key=" + principal.key->id);
}

// RFC 8725 has nothing to say here: a signature proves that we made the token, its session that it still stands.
// Null: an API key itself.
Result<const LoginSession*> session_of(const LoginSessions& sessions, const Principal& principal, WallTime now) {
  if (principal.session_id.empty()) return nullptr;
  const auto found = sessions.by_id.find(principal.session_id);
  if (found == sessions.by_id.end() || found->second->owner != principal.id)
    return refused_for("identity.session_ended", principal);
  if (sessions.over(*found->second, now)) return refused_for("identity.session_over", principal);
  return found->second.get();
}

void set_token(Principal& principal, const token::TokenClaims& claims) {
  principal.auth_type = "jwt";
  principal.credential_id = claims.id;
  principal.session_id = claims.session_id;
  principal.token_key_id = claims.key_id;
  principal.issued_at = claims.issued_at;
  principal.expires_at = std::min(principal.expires_at, claims.expires_at);
}

}  // namespace

void CredentialView::see(std::string_view field_name, std::string_view field_value) noexcept {
  const auto keep = [&](std::optional<std::string_view>& slot) {
    repeated = repeated || slot.has_value();
    slot = field_value;
  };
  if (field_name.size() == 13 && equal_no_case(field_name, "authorization")) keep(authorization);
  if (field_name.size() == 9 && equal_no_case(field_name, "x-api-key")) keep(api_key);
}

Result<std::string_view> find_credential(const CredentialView& seen) {
  if (query_has_token(seen.query)) return refused("identity.token_in_query");
  if (seen.repeated) return refused("identity.repeated_field");
  if (!seen.present()) return refused("identity.no_credential");
  std::string_view credential;
  if (seen.authorization) {
    SP_TRY(credential, bearer(*seen.authorization));
  }
  if (seen.api_key) {
    if (seen.authorization && !equal_constant_time(as_bytes(credential), as_bytes(*seen.api_key))) {
      return refused("identity.two_credentials");
    }
    credential = *seen.api_key;
    if (crypto::looks_like_jws(credential)) return refused("identity.token_as_key");
  }
  if (credential.empty() || credential.size() > kCredentialBytesMax) return refused("identity.credential_size");
  return credential;
}

Result<PrincipalPtr> Identity::verify(const Snapshot& snapshot, const CredentialView& seen, WallTime now) {
  const ShownCertificate* const shown = seen.certificate;
  if (shown != nullptr) SP_CHECK(still_good(*shown, now));
  switch (rules_.use) {
    case CertificateUse::off: break;
    case CertificateUse::beside:
      // What was shown beside it decides, refused or not: else a stolen connection would make good a bad token.
      if (shown != nullptr && !seen.present()) return by_certificate(snapshot, seen, now);
      break;
    case CertificateUse::only:
      if (seen.present()) return refused("identity.certificate_only");
      return by_certificate(snapshot, seen, now);
    case CertificateUse::required: {
      SP_TRY(auto principal, by_credential(snapshot, seen, now));
      if (shown == nullptr) return refused_for("identity.no_certificate", *principal);
      return with_certificate(snapshot, std::move(principal), *shown);
    }
  }
  SP_TRY(auto principal, by_credential(snapshot, seen, now));
  return shown == nullptr ? principal : over_certificate(principal, *shown);
}

Result<PrincipalPtr> Identity::by_certificate(const Snapshot& snapshot, const CredentialView& seen,
                                              WallTime now) const {
  if (query_has_token(seen.query)) return refused("identity.token_in_query");
  if (seen.certificate == nullptr) return refused("identity.no_certificate");
  return principal_by_certificate(snapshot, *seen.certificate, rules_, seen.address, now);
}

Result<PrincipalPtr> Identity::by_credential(const Snapshot& snapshot, const CredentialView& seen, WallTime now) {
  SP_TRY(const std::string_view credential, find_credential(seen));
  cache_.bind(snapshot.principals, snapshot.token_keys);
  const crypto::Digest digest = crypto::sha256(credential);
  PrincipalPtr principal = cache_.find(digest, now);
  if (!principal) {
    SP_TRY(Verified verified, verify_uncached(snapshot, credential, now));
    cache_.put(digest, verified.principal, verified.expires_at);
    principal = std::move(verified.principal);
  }
  SP_CHECK(check_address(*principal, seen.address));
  SP_TRY(const LoginSession* const session, session_of(*snapshot.sessions, *principal, now));
  if (session == nullptr) return principal;
  if (!snapshot.sessions->bound_to(*session, seen.address, seen.user_agent)) {
    return refused_for("identity.session_other_client", *principal);
  }
  session->touch(now);
  return principal;
}

Result<PrincipalPtr> Identity::inspect(const Snapshot& snapshot, std::string_view credential, WallTime now) const {
  SP_TRY(Verified verified, verify_uncached(snapshot, credential, now));
  SP_CHECK(session_of(*snapshot.sessions, *verified.principal, now));
  return std::move(verified.principal);
}

Result<Identity::Verified> Identity::verify_uncached(const Snapshot& snapshot, std::string_view credential,
                                                     WallTime now) const {
  if (const auto id = crypto::api_key_id(credential)) return verify_key(snapshot, credential, *id, now);
  if (crypto::looks_like_jws(credential)) return verify_token(snapshot, credential, now);
  return refused("identity.credential_form");
}

Result<Identity::Verified> Identity::verify_key(const Snapshot& snapshot, std::string_view key, std::string_view id,
                                                WallTime now) const {
  const Principals& principals = *snapshot.principals;
  const std::string which = " key=" + std::string(id);
  const auto found = principals.keys.find(id);
  if (found == principals.keys.end() || !snapshot.hash_keys) return refused("identity.key_unknown" + which);
  const KeyRecord& record = *found->second;
  const crypto::HashKeys& hashes = *snapshot.hash_keys;
  std::uint32_t secret = record.secret_number;
  std::string_view stored = record.hash;
  if (!hashes.matches(key, stored)) {
    stored = record.previous_hash;
    if (stored.empty() || !hashes.matches(key, stored)) return refused("identity.key_wrong" + which);
    if (record.good_until(--secret) <= now) return refused("identity.key_rotated" + which);
  }
  SP_CHECK(check_key(principals, record, now));
  hashes.shown(id, key, stored);
  return Verified{principal_of(found->second, secret), record.good_until(secret)};
}

Result<Identity::Verified> Identity::verify_token(const Snapshot& snapshot, std::string_view token,
                                                  WallTime now) const {
  SP_TRY(const token::TokenClaims claims, tokens_.verify(snapshot.token_keys.get(), token, now));
  const Principals& principals = *snapshot.principals;
  const std::string which = (claims.of_key ? " key=" : " user=") + claims.user_id + " jti=" + claims.id;
  if (principals.revoked_tokens.contains(claims.id)) return refused("identity.token_revoked" + which);
  if (claims.of_key) return verify_minted(snapshot, claims, now);
  const auto found = principals.users.find(claims.user_id);
  if (found == principals.users.end()) return refused("identity.user_unknown" + which);
  const UserRecord& record = *found->second;
  if (!record.enabled) return refused("identity.user_disabled" + which);
  if (claims.issued_at < record.tokens_valid_from) return refused("identity.token_superseded" + which);
  auto principal = principal_of(record, principals);
  set_token(*principal, claims);
  return Verified{std::move(principal), claims.expires_at};
}

// A token that POST /auth/api-key-login gave for a key: it may what the key may, as long as the key does (S1-12).
Result<Identity::Verified> Identity::verify_minted(const Snapshot& snapshot, const token::TokenClaims& claims,
                                                   WallTime now) const {
  const Principals& principals = *snapshot.principals;
  const std::string which = " key=" + claims.user_id + " jti=" + claims.id;
  const auto found = principals.keys.find(claims.user_id);
  if (found == principals.keys.end()) return refused("identity.key_unknown" + which);
  SP_CHECK(check_key(principals, *found->second, now));
  const LoginSessionPtr session = snapshot.sessions->find(claims.session_id);
  if (!session) return refused("identity.session_ended" + which);
  if (found->second->good_until(session->key_secret) <= now) return refused("identity.key_rotated" + which);
  auto principal = principal_of(found->second, session->key_secret);
  set_token(*principal, claims);
  const WallTime until = principal->expires_at;
  return Verified{std::move(principal), until};
}

std::string www_authenticate(bool presented, std::string_view resource_metadata) {
  std::string out = "Bearer realm=\"sallyport\"";
  if (presented) out += ", error=\"invalid_token\"";  // RFC 6750 3.1: no error code where no credential came
  if (!resource_metadata.empty()) out.append(", resource_metadata=\"").append(resource_metadata).append("\"");
  return out;
}

}  // namespace sallyport
