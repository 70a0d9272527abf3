// Files that only their owner may read (0600, in a folder of 0700): keys. Internal to crypto; at start, in the CLI and on
// the control plane's thread, which these calls block. What is refused is refused with what has to be typed to mend it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "core/secret.h"

namespace sallyport::crypto {

// At most `bytes_max` bytes and one (which tells that there are more). Refuses links, foreign owners, permissions beyond
// the owner's. Code::not_found where there is no file.
Result<Secret> read_private(const std::filesystem::path& file, std::size_t bytes_max);

// Makes the folder and the file; written and synced under another name, then linked, so that half a file is never seen.
// Code::already_exists where there is one: nothing is overwritten.
Result<void> create_private(const std::filesystem::path& file, std::string_view bytes, Random& random);

// Puts `bytes` in the place of what is there, if anything. The new file is written and synced beside it, and `check` reads
// it back; only then does it take the name, in one step, and the folder is synced. Killed anywhere, the old file is
// there or the new one, whole.
Result<void> replace_private(const std::filesystem::path& file, std::string_view bytes, Random& random,
                             const std::function<Result<void>(const std::filesystem::path& draft)>& check);

// Removes it, and syncs the folder. No error where it is not there.
Result<void> remove_private(const std::filesystem::path& file);

// Removes what a killed create or replace left behind.
void remove_drafts(const std::filesystem::path& file) noexcept;

}  // namespace sallyport::crypto
