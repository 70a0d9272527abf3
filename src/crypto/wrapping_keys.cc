#include "crypto/wrapping_keys.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/encoding.h"
#include "crypto/aead.h"
#include "crypto/bound_fields.h"
#include "crypto/hash.h"

namespace sallyport::crypto {
namespace {

constexpr std::string_view kHead = "spw1.HKDF-SHA256+A256GCM.";
constexpr std::string_view kLabel = "sallyport/1/wrap";
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kBodyBytes = kSaltBytes + kAeadNonceBytes + kLockedKeyBytes + kAeadTagBytes;

std::string header_of(std::uint32_t id) { return std::string(kHead) + std::to_string(id) + "."; }

std::unexpected<Error> sealed_shut() {
  return fail(Code::conflict, "the vault is sealed; fix: sallyport vault unseal");
}

Secret key_of(const LockedKey& wrapping, std::string_view salt) {
  return hkdf_sha256(wrapping.bytes(), as_bytes(salt), kLabel, kAeadKeyBytes);
}

}  // namespace

Result<std::string> WrappingKeys::wrap(const LockedKey& data_key, std::string_view binding, Random& random) const {
  const auto keys = current();
  if (keys->empty()) return sealed_shut();
  const WrappingKey& in_force = keys->back();
  std::string out = header_of(in_force.id);
  const std::string additional = bound_fields({out, binding});
  std::string salt(kSaltBytes, '\0');
  random.fill(std::as_writable_bytes(std::span(salt)));
  const Secret key = key_of(*in_force.key, salt);
  SP_TRY(const std::string body, seal(as_bytes(key.reveal()), as_text(data_key.bytes()), additional, random));
  return out.append(salt).append(body);
}

Result<LockedKey> WrappingKeys::unwrap(std::string_view wrapped, std::string_view binding) const {
  const auto id = named_by(wrapped);
  if (!id) return fail(Code::crypto, "a wrapped key has an unknown form or algorithm");
  const auto keys = current();
  if (keys->empty()) return sealed_shut();
  const auto found = std::ranges::find(*keys, *id, &WrappingKey::id);
  if (found == keys->end()) return fail(Code::crypto, "a wrapped key names a key-encryption key that is not there");
  const std::string_view body = wrapped.substr(wrapped.size() - kBodyBytes);
  const std::string_view header = wrapped.substr(0, wrapped.size() - kBodyBytes);
  const Secret key = key_of(*found->key, body.substr(0, kSaltBytes));
  SP_TRY(std::string plain, open(as_bytes(key.reveal()), body.substr(kSaltBytes), bound_fields({header, binding})));
  auto data_key = LockedKey::copy_of(as_bytes(plain));
  wipe(plain);
  return data_key;
}

std::uint32_t WrappingKeys::in_force() const {
  const auto keys = current();
  return keys->empty() ? 0 : keys->back().id;
}

std::optional<std::uint32_t> WrappingKeys::named_by(std::string_view wrapped) {
  if (wrapped.size() <= kBodyBytes || !wrapped.starts_with(kHead)) return std::nullopt;
  const std::string_view header = wrapped.substr(0, wrapped.size() - kBodyBytes);
  std::uint32_t id = 0;
  const char* const end = header.data() + header.size();
  const auto [rest, error] = std::from_chars(header.data() + std::min(kHead.size(), header.size()), end, id);
  if (error != std::errc{} || id == 0 || header != header_of(id)) return std::nullopt;  // "07" is another spelling
  return id;
}

std::shared_ptr<const WrappingKeySet> WrappingKeys::current() const {
  const std::scoped_lock lock(mutex_);
  return keys_;
}

void WrappingKeys::replace(WrappingKeySet keys) {
  auto fresh = std::make_shared<const WrappingKeySet>(std::move(keys));
  const std::scoped_lock lock(mutex_);
  keys_.swap(fresh);
}

}  // namespace sallyport::crypto
