// The 0600 file that holds the master key: KeyStore's first back end, used by nothing else. Blocking file calls; at
// start and in the CLI only.
#pragma once

#include <filesystem>

#include "core/random.h"
#include "core/result.h"
#include "core/secret.h"

namespace sallyport::crypto {

inline constexpr std::size_t kMasterKeyBytes = 32;

// Refuses links, foreign owners, permissions beyond the owner's, another size. Code::not_found where there is no file.
Result<Secret> read_master_key(const std::filesystem::path& file);

// Makes the folder (0700) and the file (0600, written and synced under another name, then linked, so that half a key is
// never seen). Code::already_exists where there is one.
Result<void> write_master_key(const std::filesystem::path& file, const Secret& key, Random& random);

}  // namespace sallyport::crypto
