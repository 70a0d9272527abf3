// What a backup holds: the first thing inside it (docs/backup.md). Names are checked as if an enemy had written them, since a
// restore makes files of them. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace sallyport::backup {

inline constexpr std::size_t kEntriesMax = 65'536;
inline constexpr std::size_t kManifestBytesMax = 32U << 20;
inline constexpr std::uint64_t kFileBytesMax = std::uint64_t{1} << 40;

// The files and folders at the top of a home that a backup may hold.
inline constexpr std::string_view kDatabase = "sallyport.db";
inline constexpr std::string_view kSettingsFile = "sallyport.yaml";
inline constexpr std::string_view kBundle = "policy-bundle.tar.gz";
inline constexpr std::string_view kPolicies = "policies", kCerts = "certs", kSecrets = "secrets", kKeys = "keys",
                                  kAudit = "audit";

struct Entry {
  std::string name;  // below the home: "policies/tool_access.rego"
  std::uint64_t size = 0;
  std::string sha256;  // 64 hex digits
  std::string from;  // id of the backup that holds the bytes; empty: this one
  friend bool operator==(const Entry&, const Entry&) = default;
};

struct Manifest {
  std::string id;
  std::string base;
  WallTime at{};
  std::string program;  // version that wrote it
  std::vector<Entry> entries;  // by name
  std::vector<std::string> notices;  // what is not in it, for people
  friend bool operator==(const Manifest&, const Manifest&) = default;

  [[nodiscard]] const Entry* find(std::string_view name) const noexcept;
  [[nodiscard]] bool holds(std::string_view top) const noexcept;  // the file, or anything in the folder
  [[nodiscard]] std::uint64_t stored_bytes() const noexcept;  // of entries whose bytes are in this backup
};

// The first part of a name: "policies".
std::string_view top_of(std::string_view name) noexcept;
// Code::validation: empty, absolute, "..", control characters, no UTF-8, over 1024 bytes or 8 parts, not below one of the tops above.
Result<void> check_name(std::string_view name);

std::string write_manifest(const Manifest& manifest);
// Strict: unknown members, names out of order (so none is twice), a file that is a folder of another, ids that are none, sizes
// whose sum is beyond `bytes_max` (those that this backup stores): Code::crypto.
Result<Manifest> read_manifest(std::string_view text, std::uint64_t bytes_max);

}  // namespace sallyport::backup
