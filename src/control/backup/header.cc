#include "control/backup/header.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/encoding.h"
#include "crypto/aead.h"
#include "crypto/scrypt.h"
#include "crypto/wrapping_keys.h"

namespace sallyport::backup {
namespace {

constexpr std::string_view kMagic = "SLPBACK1";
constexpr std::uint16_t kAes256Gcm = 1;
constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kKeyIdsMax = 256;

void put(std::string& out, std::uint64_t number, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>((number >> shift) & 0xFF));
}

void put_text(std::string& out, std::string_view text) {
  put(out, text.size(), 2);
  out.append(text);
}

// Takes from the front; once something is missing, `ok` stays false.
struct Cut {
  std::string_view rest;
  bool ok = true;

  std::string_view bytes(std::size_t count) {
    ok = ok && rest.size() >= count;
    if (!ok) return {};
    const auto got = rest.substr(0, count);
    rest.remove_prefix(count);
    return got;
  }
  std::uint64_t number(std::size_t count) {
    std::uint64_t value = 0;
    for (const char c : bytes(count)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string text() { return std::string(bytes(number(2))); }
};

std::string raw_id(std::string_view hex) {
  if (hex.empty()) return std::string(kIdBytes, '\0');
  const auto bytes = hex_decode(hex);
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

std::string hex_id(std::string_view raw) {
  return raw.find_first_not_of('\0') == std::string_view::npos ? std::string() : hex_encode(as_bytes(raw));
}

std::string binding_of(std::string_view id) { return "backup/" + std::string(id); }

std::string recovery_binding(const Header& header) {
  return "sallyport/1/backup-recovery\n" + header.id + "\n" + header.scrypt;
}

Result<void> check_password(const Secret& password) {
  if (password.size() >= kPasswordBytesMin && password.size() <= crypto::kScryptPasswordBytesMax) return {};
  return fail(Code::validation, "a recovery password has 12 to 1024 bytes");
}

}  // namespace

std::vector<std::uint32_t> keys_needed_by(const Header& header) {
  std::vector<std::uint32_t> ids = header.key_ids;
  if (const auto own = crypto::WrappingKeys::named_by(header.wrapped)) ids.push_back(*own);
  std::ranges::sort(ids);
  const auto doubled = std::ranges::unique(ids);
  ids.erase(doubled.begin(), doubled.end());
  return ids;
}

Result<NewKey> new_key(Header wanted, const HomeKeys& home, const Secret* password, Random& random) {
  NewKey made{std::move(wanted), crypto::LockedKey::random(random)};
  Header& header = made.header;
  std::array<std::byte, kIdBytes> id{};
  random.fill(id);
  header.id = hex_encode(id);
  SP_TRY(header.wrapped, home.wrap(made.key, binding_of(header.id)));
  header.key_ids = keys_needed_by(header);
  if (header.key_ids.size() > kKeyIdsMax) return fail(Code::limit, "the rows of the database name too many keys");
  if (password == nullptr) return made;
  SP_CHECK(check_password(*password));
  SP_TRY(const auto cost, crypto::ScryptParameters::fresh(random));
  header.scrypt = cost.text();
  SP_TRY(const crypto::LockedKey key, cost.derive(password->reveal()));
  SP_TRY(header.recovery, crypto::seal(key.bytes(), as_text(made.key.bytes()), recovery_binding(header), random));
  return made;
}

std::string write_header(const Header& header) {
  std::string tail = raw_id(header.id) + raw_id(header.base);
  put(tail, static_cast<std::uint64_t>(header.at.time_since_epoch().count()), 8);
  for (const auto* text : {&header.wrapped, &header.scrypt, &header.recovery}) put_text(tail, *text);
  put(tail, header.key_ids.size(), 2);
  for (const std::uint32_t id : header.key_ids) put(tail, id, 4);
  std::string out(kMagic);
  put(out, kAes256Gcm, 2);
  put(out, kFixedHeadBytes + tail.size(), 2);
  put(out, kChunkBytes, 4);
  return out + tail;
}

Result<std::size_t> header_length(std::string_view fixed) {
  Cut cut{fixed};
  const auto magic = cut.bytes(kMagic.size());
  if (!cut.ok || magic.substr(0, 7) != kMagic.substr(0, 7)) return fail(Code::crypto, "this is no backup of Sallyport");
  const auto algorithm = cut.number(2);
  const auto length = cut.number(2);
  const auto chunk = cut.number(4);
  if (magic != kMagic || algorithm != kAes256Gcm) {
    return fail(Code::crypto, "the backup has a form that this program does not know: use the newer one that wrote it");
  }
  if (!cut.ok || chunk != kChunkBytes || length <= kFixedHeadBytes || length > kHeadBytesMax) {
    return fail(Code::crypto, "the head of the backup is damaged");
  }
  return length;
}

Result<Header> read_header(std::string_view bytes) {
  SP_TRY(const std::size_t length, header_length(bytes.substr(0, kFixedHeadBytes)));
  Cut cut{bytes.substr(std::min(bytes.size(), kFixedHeadBytes))};
  Header header;
  header.id = hex_id(cut.bytes(kIdBytes));
  header.base = hex_id(cut.bytes(kIdBytes));
  header.at = WallTime(std::chrono::microseconds(static_cast<std::int64_t>(cut.number(8))));
  for (auto* text : {&header.wrapped, &header.scrypt, &header.recovery}) *text = cut.text();
  const auto ids = cut.number(2);
  for (std::uint64_t i = 0; i < ids && i <= kKeyIdsMax; ++i) {
    header.key_ids.push_back(static_cast<std::uint32_t>(cut.number(4)));
  }
  const bool whole = cut.ok && cut.rest.empty() && length == bytes.size();
  if (!whole || header.id.empty() || header.wrapped.empty() || header.scrypt.empty() != header.recovery.empty()) {
    return fail(Code::crypto, "the head of the backup is damaged");
  }
  return header;
}

Result<crypto::LockedKey> open_key(const Header& header, const Unlock& unlock) {
  if (unlock.password == nullptr) {
    if (unlock.home == nullptr) return fail(Code::crypto, "neither the home's keys nor a recovery password are there");
    auto key = unlock.home->unwrap(header.wrapped, binding_of(header.id));
    if (key || key.error().code == Code::conflict) return key;  // sealed: that is no fault of the backup
    return fail(Code::crypto, "the backup does not open with the keys of this home (" + key.error().detail + ")");
  }
  if (header.scrypt.empty()) return fail(Code::crypto, "the backup was made without a recovery password");
  SP_TRY(const auto cost, crypto::ScryptParameters::parse(header.scrypt));
  SP_TRY(const crypto::LockedKey derived, cost.derive(unlock.password->reveal()));
  auto plain = crypto::open(derived.bytes(), header.recovery, recovery_binding(header));
  if (!plain) return fail(Code::crypto, "the recovery password is wrong, or the head of the backup is damaged");
  auto key = crypto::LockedKey::copy_of(as_bytes(*plain));
  wipe(*plain);
  return key;
}

}  // namespace sallyport::backup
