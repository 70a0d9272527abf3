// The folder in which the backups of a home lie, as far as it can be read without keys: names, heads, sizes. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/backup/header.h"

namespace sallyport::backup {

// So many backups may add to one another; then one stands alone again.
inline constexpr std::size_t kChainMax = 32;

struct Shelved {
  std::string name;  // "sallyport-20261122T134500Z-1a2b3c4d.backup"
  Header header;
  std::uint64_t bytes = 0;
  bool authentic = false;  // where somebody looked: what the head says is true
};

std::string file_name(const Header& header);
// While it is written. Nobody but who has these keys removes it.
std::string draft_name(const Header& header, const HomeKeys& keys);
// As file_name() makes it: no path can be smuggled in by it.
bool is_file_name(std::string_view name) noexcept;

// The oldest first, as their heads say; none where there is no such folder. Files with such a name whose head cannot be read are
// left out; `broken` gets their names. Code::limit beyond 10,000.
Result<std::vector<Shelved>> backups_in(const std::string& folder, std::vector<std::string>* broken = nullptr);
// The same for who removes what backups may need: Code::conflict, with the fix, where one of them cannot be read.
Result<std::vector<Shelved>> every_backup_in(const std::string& folder);

// Takes a damaged one of this home off the shelf: NAME.OWNER.damaged, in the place of an earlier one of these. Its path then.
Result<std::string> set_aside(const std::string& folder, const std::string& name, const HomeKeys& keys);
// Removes those of `names` on which no other stands, as the heads say.
Result<void> drop(const std::string& folder, const std::vector<std::string>& names);

// Looks at each with these keys.
void authenticate(const std::string& folder, std::vector<Shelved>& all, const Unlock& unlock);

struct Pruned {
  std::vector<std::string> gone;
  std::vector<std::string> strange;  // do not open with these keys
  std::string failed;  // what could not be removed, and why; empty: all was that had to go
};
// Removes all but the newest `keep` and those that they stand on, and drafts that a crash left. Those that do not open with these
// keys, another home's for one, do not count, whatever they claim, and are left alone; so are drafts of others. What a kept one
// stands on must open, as check_chain() has it, before one is removed. Errors: those of every_backup_in(), and Code::conflict
// where it does not; then nothing is removed.
Result<Pruned> prune(const std::string& folder, std::size_t keep, const Unlock& unlock);
// How many backups `newest` stands on, itself included; of those that authenticate() found to be true.
std::size_t chain_length(const std::vector<Shelved>& all, const Header& newest);

}  // namespace sallyport::backup
