#include "crypto/keyring_document.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "core/encoding.h"
#include "core/secret.h"
#include "crypto/aead.h"
#include "crypto/bound_fields.h"

namespace sallyport::crypto {
namespace {

constexpr std::string_view kFirstLine = "sallyport-keyring 1 A256GCM\n";
constexpr std::string_view kAnyVersion = "sallyport-keyring ";
constexpr std::size_t kIdDigits = 16;
constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kEntryBytes = 3 * kNumberBytes + kLockedKeyBytes;
constexpr std::size_t kStartBytes = kLockedKeyBytes + kNumberBytes;
constexpr std::uint64_t kInForce = 0;

std::unexpected<Error> damaged(std::string_view what) {
  return fail(Code::config, "keys/keyring is damaged (" + std::string(what) + "); fix: restore it from a backup");
}

std::string head_text(const KeyringHead& head) {
  std::string out(kFirstLine);
  out.append("id ").append(head.id).append("\ngeneration ").append(std::to_string(head.generation));
  return out.append("\nunseal ").append(head.unseal).append("\n\n");
}

// The rest of the line that begins with `name`; moves past it.
std::optional<std::string_view> line_of(std::string_view& text, std::string_view name) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.substr(0, end).starts_with(name)) return std::nullopt;
  const std::string_view value = text.substr(name.size(), end - name.size());
  text.remove_prefix(end + 1);
  return value;
}

std::uint64_t number_at(std::string_view bytes, std::size_t at) noexcept {
  std::uint64_t number = 0;
  for (const char c : bytes.substr(at, kNumberBytes)) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

std::uint64_t micros_of(WallTime time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); }
WallTime time_of(std::uint64_t micros) {
  return WallTime(std::chrono::microseconds(static_cast<std::int64_t>(micros)));
}

std::string body_text(const KeyringBody& body) {
  std::string out;
  out.reserve(kStartBytes + body.wrapping.size() * kEntryBytes);  // grown, it would leave copies behind
  out.append(as_text(body.root.bytes()));
  append_number(out, body.wrapping.size());
  for (const WrappingKey& entry : body.wrapping) {
    append_number(out, entry.id);
    append_number(out, micros_of(entry.made_at));
    append_number(out, entry.retired_at ? micros_of(*entry.retired_at) : kInForce);
    out.append(as_text(entry.key->bytes()));
  }
  return out;
}

Result<WrappingKey> entry_of(std::string_view bytes) {
  WrappingKey entry;
  const std::uint64_t id = number_at(bytes, 0);
  const std::uint64_t retired = number_at(bytes, 2 * kNumberBytes);
  if (id == 0 || id > UINT32_MAX) return damaged("id of a key");
  entry.id = static_cast<std::uint32_t>(id);
  entry.made_at = time_of(number_at(bytes, kNumberBytes));
  if (retired != kInForce) entry.retired_at = time_of(retired);
  SP_TRY(LockedKey key, LockedKey::copy_of(as_bytes(bytes.substr(3 * kNumberBytes))));
  entry.key = std::make_shared<const LockedKey>(std::move(key));
  return entry;
}

// What the tag vouches for was written by us; checked all the same, as the last line of defence.
Result<KeyringBody> body_of(std::string_view plain) {
  if (plain.size() < kStartBytes) return damaged("length");
  KeyringBody body;
  SP_TRY(body.root, LockedKey::copy_of(as_bytes(plain.substr(0, kLockedKeyBytes))));
  const std::uint64_t count = number_at(plain, kLockedKeyBytes);
  if (count == 0 || count > kWrappingKeysMax || plain.size() != kStartBytes + count * kEntryBytes) {
    return damaged("number of keys");
  }
  for (std::size_t at = kStartBytes; at < plain.size(); at += kEntryBytes) {
    SP_TRY(WrappingKey entry, entry_of(plain.substr(at, kEntryBytes)));
    const bool last = at + kEntryBytes == plain.size();
    const bool ascends = body.wrapping.empty() || body.wrapping.back().id < entry.id;
    if (!ascends || entry.retired_at.has_value() == last) return damaged("order of keys");
    body.wrapping.push_back(std::move(entry));
  }
  return body;
}

}  // namespace

Result<KeyringHead> read_keyring_head(std::string_view document) {
  if (document.size() > kKeyringBytesMax) return damaged("over 64 KiB");
  if (!document.starts_with(kFirstLine)) {
    if (!document.starts_with(kAnyVersion)) return damaged("it does not begin as one");
    return fail(Code::config,
                "keys/keyring has a version or an algorithm that this program does not know; fix: run the "
                "version of Sallyport that wrote it, or a later one");
  }
  std::string_view rest = document.substr(kFirstLine.size());
  const auto id = line_of(rest, "id ");
  const auto generation = id ? line_of(rest, "generation ") : std::nullopt;
  const auto unseal = generation ? line_of(rest, "unseal ") : std::nullopt;
  if (!unseal || !rest.starts_with('\n')) return damaged("head");
  KeyringHead head;
  head.id = *id;
  head.unseal = *unseal;
  head.text = document.substr(0, document.size() - rest.size() + 1);
  head.body = rest.substr(1);
  std::from_chars(generation->data(), generation->data() + generation->size(), head.generation);
  const bool hex = id->size() == kIdDigits && hex_decode(*id).has_value();
  if (!hex || head_text(head) != head.text) return damaged("head");
  return head;
}

Result<KeyringBody> open_keyring_body(const KeyringHead& head, const LockedKey& key) {
  SP_TRY(std::string plain, open(key.bytes(), head.body, head.text));
  auto body = body_of(plain);
  wipe(plain);
  return body;
}

Result<std::string> write_keyring(const KeyringHead& head, const KeyringBody& body, const LockedKey& key,
                                  Random& random) {
  if (body.wrapping.size() > kWrappingKeysMax) return fail(Code::limit, "a keyring holds at most 256 keys");
  std::string document = head_text(head);
  std::string plain = body_text(body);
  auto sealed = seal(key.bytes(), plain, document, random);
  wipe(plain);
  if (!sealed) return fail(std::move(sealed).error());
  return document.append(*sealed);
}

}  // namespace sallyport::crypto
