// The head of a backup (docs/backup.md): what may be known of it without a key, and its data key, closed to all but the home's
// key-encryption key and, where there is one, the recovery password. Any thread; opening by a password takes its scrypt.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "core/secret.h"
#include "crypto/locked_key.h"

namespace sallyport::backup {

inline constexpr std::size_t kChunkBytes = 256U << 10;
inline constexpr std::size_t kFixedHeadBytes = 16;  // from which the length of the whole head is known
inline constexpr std::size_t kHeadBytesMax = 4096;
inline constexpr std::size_t kPasswordBytesMin = 12;

// How a home wraps data keys (KeyStore::wrap, unwrap).
struct HomeKeys {
  std::function<Result<std::string>(const crypto::LockedKey& key, std::string_view binding)> wrap;
  std::function<Result<crypto::LockedKey>(std::string_view wrapped, std::string_view binding)> unwrap;
  std::function<std::vector<std::uint32_t>()> held = nullptr;  // ids of those in force and retired
  // In the names of what a backup is not yet, or no longer: several homes may keep theirs in one folder. [0-9a-f]*
  std::string owner = {};
};

struct Header {
  std::string id;  // 32 hex digits
  std::string base;  // the backup that this one adds to; empty: it stands alone
  WallTime at{};
  std::string wrapped;  // the data key, by the home's keys
  std::string scrypt;  // crypto/scrypt.h; empty: there is no recovery password
  std::string recovery;  // the data key, sealed under what the password gives
  std::vector<std::uint32_t> key_ids;  // key-encryption keys of the home without which it, or rows in it, do not open
  friend bool operator==(const Header&, const Header&) = default;
};

struct NewKey {
  Header header;
  crypto::LockedKey key;
};
// What key_ids says, and the key that `wrapped` names: backups of before it stood in key_ids need that one as well. Ascending.
std::vector<std::uint32_t> keys_needed_by(const Header& header);

// A fresh data key for the backup of which base, time and key_ids (of the rows) are set. `password`: null, or of 12 to 1024
// bytes, else Code::validation.
Result<NewKey> new_key(Header header, const HomeKeys& home, const Secret* password, Random& random);

std::string write_header(const Header& header);
// The length of the whole head of the first kFixedHeadBytes. Code::crypto: this is no backup, or one of a newer version.
Result<std::size_t> header_length(std::string_view fixed);
Result<Header> read_header(std::string_view bytes);  // all of it, to the byte

// What a backup is opened with: the password where there is one, else the home's keys.
struct Unlock {
  const HomeKeys* home = nullptr;
  const Secret* password = nullptr;
};
// Code::crypto, with the words for who asked: the wrong password, other keys, changed bytes.
Result<crypto::LockedKey> open_key(const Header& header, const Unlock& unlock);

}  // namespace sallyport::backup
