#include "engines/token/key_ring.h"

#include <algorithm>
#include <utility>

#include "core/encoding.h"
#include "json/writer.h"

namespace sallyport::token {
namespace {

// A revoked key verifies at no time: a clock that is set back does not bring it to life.
bool verifies(const RingKey& key, WallTime now) noexcept { return !key.revoked && key.verifies_until > now; }

}  // namespace

KeyRing::KeyRing(std::vector<RingKey> keys) : keys_(std::move(keys)) {
  headers_.reserve(keys_.size());
  for (const RingKey& key : keys_) headers_.push_back(base64url_encode(as_bytes(header_of(key))));
}

const RingKey* KeyRing::signer() const noexcept {
  return keys_.empty() || !keys_.front().key->can_sign() ? nullptr : &keys_.front();
}

std::string KeyRing::header_of(const RingKey& key) {
  json::Writer out;
  out.object().member("alg", crypto::name_of(key.key->algorithm()));
  if (!key.id.empty()) out.member("kid", key.id);
  out.member("typ", "at+jwt").end_object();
  return out.take();
}

const RingKey* KeyRing::by_header(std::string_view encoded, WallTime now) const noexcept {
  const RingKey* found = nullptr;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (headers_[i] == encoded) {
      found = &keys_[i];
      break;
    }
    if (keys_[i].id.empty()) found = &keys_[i];
  }
  return found != nullptr && verifies(*found, now) ? found : nullptr;
}

bool KeyRing::revoked(std::string_view id) const noexcept {
  return std::ranges::any_of(keys_, [&](const RingKey& key) { return key.revoked && key.id == id; });
}

std::string KeyRing::jwks(WallTime now) const {
  json::Writer out;
  out.object().key("keys").array();
  for (const RingKey& key : keys_) {
    if (key.key->public_jwk().empty() || !verifies(key, now)) continue;
    out.object();
    for (const auto& [name, value] : key.key->public_jwk()) out.member(name, value);
    out.member("use", "sig").member("alg", crypto::name_of(key.key->algorithm())).member("kid", key.id).end_object();
  }
  out.end_array().end_object();
  return out.take();
}

}  // namespace sallyport::token
