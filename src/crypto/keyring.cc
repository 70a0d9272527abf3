#include "crypto/keyring.h"

#include <algorithm>
#include <utility>

#include "core/encoding.h"
#include "crypto/master_key_file.h"
#include "crypto/private_file.h"

namespace sallyport::crypto {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kIdBytes = 8;

fs::path file_in(const fs::path& folder) { return folder / "keyring"; }
fs::path key_file_in(const fs::path& folder) { return folder / "master.key"; }

std::string random_bytes(Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::unexpected<Error> does_not_open(UnsealKind kind) {
  switch (kind) {
    case UnsealKind::file:
      return fail(Code::config, "keys/master.key does not open keys/keyring; fix: restore the two files of one backup");
    case UnsealKind::password:
      return fail(Code::config,
                  "the vault's password is wrong, or keys/keyring was changed; fix: set encryption.password "
                  "(SECURITY_VAULT_PASSWORD) to the one that was set last");
    case UnsealKind::environment:
      return fail(Code::config,
                  "encryption.key (ENCRYPTION_KEY) does not open keys/keyring; fix: set it to the key that "
                  "the home was made with");
    case UnsealKind::hsm:
    case UnsealKind::transit: break;
  }
  return fail(Code::config, "what the " +
                                std::string(kind == UnsealKind::hsm ? "token holds" : "transit engine unwraps") +
                                " does not open keys/keyring; fix: restore keys/keyring from a backup");
}

WrappingKey new_key(std::uint32_t id, Random& random, WallTime now) {
  return {id, now, std::nullopt, std::make_shared<const LockedKey>(LockedKey::random(random))};
}

// The key file opens it, whatever the settings name: the start then seals it under that.
Result<UnsealKey> key_for(const UnsealSource& source, std::string_view line, const fs::path& folder) {
  if (unseal_kind_of(line) != UnsealKind::file) return unseal_key(source, line, folder);
  return unseal_key(UnsealSource{}, line, folder);
}

Result<void> opens(const fs::path& file, const LockedKey& key) {
  SP_TRY(const Secret document, read_private(file, kKeyringBytesMax));
  SP_TRY(const KeyringHead head, read_keyring_head(document.reveal()));
  SP_TRY(const KeyringBody body, open_keyring_body(head, key));
  return {};
}

KeyringHead without_views(KeyringHead head) {
  head.text = {};
  head.body = {};
  return head;
}

}  // namespace

Result<Keyring> Keyring::open(const fs::path& home, const UnsealSource& source) {
  const fs::path folder = home / "keys";
  SP_TRY(const Secret document, read_private(file_in(folder), kKeyringBytesMax));
  SP_TRY(const KeyringHead head, read_keyring_head(document.reveal()));
  SP_TRY(UnsealKey unseal, key_for(source, head.unseal, folder));
  auto body = open_keyring_body(head, unseal.key);
  if (!body && body.error().code == Code::crypto) {
    return does_not_open(unseal_kind_of(head.unseal).value_or(UnsealKind::file));
  }
  if (!body) return fail(std::move(body).error());
  Keyring ring(folder, std::move(unseal));
  ring.head_ = without_views(head);
  ring.body_ = std::move(*body);
  return ring;
}

Result<Keyring> Keyring::create(const fs::path& home, const UnsealSource& source, std::optional<Secret> root,
                                Random& random, WallTime now) {
  const fs::path folder = home / "keys";
  SP_TRY(UnsealKey unseal, fresh_unseal_key(source, folder, random));
  Keyring ring(folder, std::move(unseal));
  ring.head_.id = hex_encode(as_bytes(random_bytes(random, kIdBytes)));
  ring.head_.generation = 1;
  ring.head_.unseal = ring.unseal_.line;
  if (root) {
    SP_TRY(ring.body_.root, LockedKey::copy_of(as_bytes(root->reveal())));
  } else {
    random.fill(ring.body_.root.writable());
  }
  ring.body_.wrapping.push_back(new_key(1, random, now));
  SP_TRY(const std::string document, write_keyring(ring.head_, ring.body_, ring.unseal_.key, random));
  SP_CHECK(create_private(file_in(folder), document, random));
  SP_CHECK(opens(file_in(folder), ring.unseal_.key));
  SP_CHECK(ring.tidy());
  return ring;
}

Result<KeyStore> Keyring::store(bool sealed) const {
  SP_TRY(KeyStore store, KeyStore::from_master(Secret(std::string(as_text(body_.root.bytes())))));
  store.wrapping().replace(sealed ? WrappingKeySet{} : body_.wrapping);
  return store;
}

UnsealKind Keyring::opened_by() const noexcept { return unseal_kind_of(head_.unseal).value_or(UnsealKind::file); }

Result<void> Keyring::rotate(Random& random, WallTime now) {
  if (body_.wrapping.size() >= kWrappingKeysMax) {
    return fail(Code::limit,
                "256 key-encryption keys are in use; fix: let the rewrapping of stored values finish first");
  }
  KeyringBody body = copy_of_body();
  const std::uint32_t id = body.wrapping.back().id + 1;
  body.wrapping.back().retired_at = now;
  body.wrapping.push_back(new_key(id, random, now));
  return put(next_head(unseal_), std::move(body), std::nullopt, random);
}

Result<std::size_t> Keyring::drop_retired(std::span<const std::uint32_t> in_use, Random& random) {
  KeyringBody body = copy_of_body();
  const auto before = body.wrapping.size();
  std::erase_if(body.wrapping, [&](const WrappingKey& entry) {
    return entry.retired_at && std::ranges::find(in_use, entry.id) == in_use.end();
  });
  const std::size_t dropped = before - body.wrapping.size();
  if (dropped != 0) SP_CHECK(put(next_head(unseal_), std::move(body), std::nullopt, random));
  return dropped;
}

Result<std::string> Keyring::reseal(const UnsealSource& source, Random& random) {
  SP_TRY(UnsealKey fresh, fresh_unseal_key(source, folder_, random));
  return reseal(std::move(fresh), random);
}

Result<std::string> Keyring::reseal(UnsealKey fresh, Random& random) {
  const KeyringHead head = next_head(fresh);
  SP_CHECK(put(head, copy_of_body(), std::move(fresh), random));
  const auto tidied = tidy();
  return tidied ? std::string() : tidied.error().detail;
}

Result<void> Keyring::tidy() const {
  remove_drafts(file_in(folder_));
  remove_drafts(key_file_in(folder_));
  if (opened_by() == UnsealKind::file) return {};
  return remove_private(key_file_in(folder_));
}

Result<void> Keyring::put(KeyringHead head, KeyringBody body, std::optional<UnsealKey> fresh, Random& random) {
  const LockedKey& key = fresh ? fresh->key : unseal_.key;
  SP_TRY(const std::string document, write_keyring(head, body, key, random));
  const auto check = [&](const fs::path& draft) { return opens(draft, key); };
  SP_CHECK(replace_private(file_in(folder_), document, random, check));
  head_ = std::move(head);
  body_ = std::move(body);
  if (fresh) unseal_ = std::move(*fresh);
  return {};
}

KeyringHead Keyring::next_head(const UnsealKey& unseal) const {
  KeyringHead head = head_;
  ++head.generation;
  head.unseal = unseal.line;
  return head;
}

KeyringBody Keyring::copy_of_body() const {
  KeyringBody copy;
  std::ranges::copy(body_.root.bytes(), copy.root.writable().begin());
  copy.wrapping = body_.wrapping;
  return copy;
}

Result<Secret> root_of_old_home(const fs::path& home) { return read_master_key(key_file_in(home / "keys")); }

}  // namespace sallyport::crypto
