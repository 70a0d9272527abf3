#include "crypto/unseal.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/encoding.h"
#include "crypto/bound_fields.h"
#include "crypto/hash.h"
#include "crypto/hsm.h"
#include "crypto/known_secrets.h"
#include "crypto/master_key_file.h"
#include "crypto/scrypt.h"

namespace sallyport::crypto {
namespace {

constexpr std::array<std::string_view, 5> kNames{"file", "password", "environment", "hsm", "transit"};
// Labels never change: a changed label is a keyring that does not open.
constexpr std::array<std::string_view, 5> kLabels{"sallyport/1/unseal-file", "sallyport/1/unseal-password",
                                                  "sallyport/1/unseal-environment", "sallyport/1/unseal-hsm",
                                                  "sallyport/1/unseal-transit"};

std::size_t index(UnsealKind kind) noexcept { return static_cast<std::size_t>(kind); }

Result<UnsealKey> key_of(UnsealKind kind, std::string_view parameters, std::span<const std::byte> secret) {
  const Secret derived = hkdf_sha256(secret, {}, kLabels[index(kind)], kLockedKeyBytes);
  SP_TRY(LockedKey key, LockedKey::copy_of(as_bytes(derived.reveal())));
  std::string line(unseal_name(kind));
  if (!parameters.empty()) line.append(" ").append(parameters);
  return UnsealKey{std::move(line), std::move(key)};
}

std::filesystem::path file_in(const std::filesystem::path& folder) { return folder / "master.key"; }

Result<Secret> file_bytes(const std::filesystem::path& folder) {
  auto bytes = read_master_key(file_in(folder));
  if (bytes || bytes.error().code != Code::not_found) return bytes;
  return fail(Code::config,
              "the key file " + file_in(folder).string() +
                  ", which opens keys/keyring, is gone; fix: restore it from a backup (without it, stored "
                  "keys and credentials are lost)");
}

Result<Secret> new_file_bytes(const std::filesystem::path& folder, Random& random) {
  auto there = read_master_key(file_in(folder));
  if (there || there.error().code != Code::not_found) return there;
  std::string bytes(kMasterKeyBytes, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  Secret made(std::move(bytes));
  SP_CHECK(write_master_key(file_in(folder), made, random));
  return made;
}

// C26: base64 or base64url, padded or not; a Fernet key is one.
Result<Secret> environment_bytes(const Secret& secret) {
  auto bytes = base64_decode(secret.reveal());
  const bool good = bytes && bytes->size() == kLockedKeyBytes;
  Secret found(good ? std::string(as_text(*bytes)) : std::string());
  if (bytes) std::ranges::fill(*bytes, std::byte{});
  if (!good) {
    return fail(Code::config, "ENCRYPTION_KEY is not 32 bytes in base64; fix: make one with: openssl rand -base64 32");
  }
  if (is_low_variety(found.reveal())) {
    return fail(Code::config, "ENCRYPTION_KEY is not random; fix: make one with: openssl rand -base64 32");
  }
  return found;
}

Result<void> check_password(const Secret& password) {
  if (password.size() < kUnsealPasswordBytesMin || password.size() > kScryptPasswordBytesMax) {
    return fail(Code::config,
                "the vault's password has 12 to 1024 bytes; fix: choose a longer one, such as five words");
  }
  if (is_known_secret(password.reveal()) || is_low_variety(password.reveal())) {
    return fail(Code::config, "the vault's password is a published default or too regular; fix: choose another one");
  }
  return {};
}

Result<UnsealKey> by_password(const ScryptParameters& parameters, const Secret& password) {
  SP_TRY(const LockedKey stretched, parameters.derive(password.reveal()));
  return key_of(UnsealKind::password, parameters.text(), stretched.bytes());
}

std::string place_on_token(const HsmKey& names) { return bound_fields({"sallyport/1/hsm", names.token, names.key}); }

// "A256GCM <token> <key> <sealed>", each in base64url: labels may hold anything.
Result<UnsealKey> fresh_by_hsm(const UnsealSource& source, Random& random) {
  const LockedKey secret = LockedKey::random(random);
  SP_TRY(const std::string sealed,
         hsm_seal(source.hsm, source.secret, as_text(secret.bytes()), place_on_token(source.hsm), random));
  std::string line = "A256GCM";
  for (const std::string_view part :
       {std::string_view(source.hsm.token), std::string_view(source.hsm.key), std::string_view(sealed)}) {
    line.append(" ").append(base64url_encode(as_bytes(part)));
  }
  return key_of(UnsealKind::hsm, line, secret.bytes());
}

Result<UnsealKey> by_hsm(const UnsealSource& source, std::string_view parameters) {
  std::string names = "A256GCM";
  for (const std::string& part : {source.hsm.token, source.hsm.key}) {
    names.append(" ").append(base64url_encode(as_bytes(part)));
  }
  names.append(" ");
  if (!parameters.starts_with(names)) {
    return fail(Code::config, "the keyring was sealed by another key of a token than encryption.hsm_token and "
                              "encryption.hsm_key name; fix: set these to the names it was sealed with");
  }
  const auto sealed = base64url_decode(parameters.substr(names.size()));
  if (!sealed) return fail(Code::config, "the keyring's line about the token is damaged; fix: restore keys/keyring");
  SP_TRY(const Secret secret, hsm_open(source.hsm, source.secret, as_text(*sealed), place_on_token(source.hsm)));
  return key_of(UnsealKind::hsm, parameters, as_bytes(secret.reveal()));
}

std::string place_on_server(const RemoteKey& remote) {
  return bound_fields({"sallyport/1/transit", remote.mount(), remote.key()});
}

// "<mount> <key> <wrapped>", each in base64url.
std::string names_of(const RemoteKey& remote) {
  return base64url_encode(as_bytes(remote.mount())) + " " + base64url_encode(as_bytes(remote.key())) + " ";
}

Result<UnsealKey> fresh_by_transit(const UnsealSource& source, Random& random) {
  if (!source.remote) return fail(Code::config, "encryption.transit_url is not set; fix: set it and what goes with it");
  std::string bytes(kLockedKeyBytes, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  const Secret secret(std::move(bytes));
  const std::string place = place_on_server(*source.remote);
  SP_TRY(const std::string wrapped, source.remote->wrap(secret, place));
  SP_TRY(const Secret again, source.remote->unwrap(wrapped, place));  // before anything depends on it
  if (!equal_constant_time(as_bytes(again.reveal()), as_bytes(secret.reveal()))) {
    return fail(Code::config, "the transit engine does not give back what it wrapped; fix: see encryption.transit_key");
  }
  return key_of(UnsealKind::transit, names_of(*source.remote) + base64url_encode(as_bytes(wrapped)),
                as_bytes(secret.reveal()));
}

Result<UnsealKey> by_transit(const UnsealSource& source, std::string_view parameters) {
  if (!source.remote) return fail(Code::config, "encryption.transit_url is not set; fix: set it and what goes with it");
  const std::string names = names_of(*source.remote);
  if (!parameters.starts_with(names)) {
    return fail(Code::config, "the keyring was sealed by another key than encryption.transit_mount and "
                              "encryption.transit_key name; fix: set these to the names it was sealed with");
  }
  const auto wrapped = base64url_decode(parameters.substr(names.size()));
  if (!wrapped) return fail(Code::config, "the keyring's line about transit is damaged; fix: restore keys/keyring");
  SP_TRY(const Secret secret, source.remote->unwrap(as_text(*wrapped), place_on_server(*source.remote)));
  if (secret.size() != kLockedKeyBytes) {
    return fail(Code::config, "what the transit engine unwrapped is no key of ours; fix: restore keys/keyring");
  }
  return key_of(UnsealKind::transit, parameters, as_bytes(secret.reveal()));
}

std::string how_to_have(UnsealKind kind) {
  switch (kind) {
    case UnsealKind::file:
      return "leave encryption.password, encryption.key, encryption.hsm_module and encryption.transit_url out";
    case UnsealKind::password: return "set encryption.password (SECURITY_VAULT_PASSWORD) to the vault's password";
    case UnsealKind::environment: return "set encryption.key (ENCRYPTION_KEY) to the key";
    case UnsealKind::hsm: return "set encryption.hsm_module, hsm_token, hsm_key and hsm_pin";
    case UnsealKind::transit: return "set encryption.transit_url, transit_mount, transit_key and transit_token";
  }
  return {};
}

}  // namespace

std::string_view unseal_name(UnsealKind kind) noexcept { return kNames[index(kind)]; }

std::optional<UnsealKind> unseal_kind(std::string_view name) noexcept {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<UnsealKind>(found - kNames.begin());
}

std::optional<UnsealKind> unseal_kind_of(std::string_view line) noexcept {
  return unseal_kind(line.substr(0, line.find(' ')));
}

Result<UnsealKey> fresh_unseal_key(const UnsealSource& source, const std::filesystem::path& folder, Random& random) {
  switch (source.kind) {
    case UnsealKind::file: {
      SP_TRY(const Secret bytes, new_file_bytes(folder, random));
      return key_of(source.kind, {}, as_bytes(bytes.reveal()));
    }
    case UnsealKind::password: {
      SP_CHECK(check_password(source.secret));
      SP_TRY(const auto parameters, ScryptParameters::fresh(random));
      return by_password(parameters, source.secret);
    }
    case UnsealKind::environment: {
      SP_TRY(const Secret bytes, environment_bytes(source.secret));
      return key_of(source.kind, {}, as_bytes(bytes.reveal()));
    }
    case UnsealKind::hsm: return fresh_by_hsm(source, random);
    case UnsealKind::transit: return fresh_by_transit(source, random);
  }
  return fail(Code::internal, "unknown unseal source");
}

Result<UnsealKey> unseal_key(const UnsealSource& source, std::string_view line, const std::filesystem::path& folder) {
  const auto kind = unseal_kind_of(line);
  if (!kind) return fail(Code::config, "keys/keyring names an unseal source that this version does not know");
  if (*kind != source.kind) {
    return fail(Code::config, "keys/keyring is opened by another source (" + std::string(unseal_name(*kind)) +
                                  ") than the settings name (" + std::string(unseal_name(source.kind)) +
                                  "); fix: " + how_to_have(*kind) + "; 'sallyport vault password' changes the source");
  }
  const std::string_view parameters = line.substr(std::min(line.size(), unseal_name(*kind).size() + 1));
  switch (*kind) {
    case UnsealKind::file: {
      SP_TRY(const Secret bytes, file_bytes(folder));
      return key_of(*kind, parameters, as_bytes(bytes.reveal()));
    }
    case UnsealKind::password: {
      SP_TRY(const auto stored, ScryptParameters::parse(parameters));
      return by_password(stored, source.secret);
    }
    case UnsealKind::environment: {
      SP_TRY(const Secret bytes, environment_bytes(source.secret));
      return key_of(*kind, parameters, as_bytes(bytes.reveal()));
    }
    case UnsealKind::hsm: return by_hsm(source, parameters);
    case UnsealKind::transit: return by_transit(source, parameters);
  }
  return fail(Code::internal, "unknown unseal source");
}

}  // namespace sallyport::crypto
