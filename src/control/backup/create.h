// Makes a backup (S2-11, S0-37): a copy of the database, the settings, policies, certificates and secret files, the keys where a
// recovery password closes them, and the audit where it is asked for; one encrypted file with its name in one step, or none.
// Blocking, for as long as the home is large; one at a time for a home. Memory is bounded whatever the sizes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "control/backup/manifest.h"
#include "control/backup/reader.h"
#include "core/clock.h"
#include "core/random.h"

namespace sallyport::backup {

// Where the parts of a home lie; absolute.
struct Places {
  std::string home;
  std::string database;
  std::string settings_file;  // empty: none
  std::string policies;
  std::string audit;
  std::string folder;  // of the backups
  bool policies_in_force = true;  // false: a bundle is, and the folder may hold what nobody reads
};

struct Tools {
  const Clock& clock;
  Random& random;
  HomeKeys keys;
  // A copy of the database at `from` as it is at one moment, while others write to it; it has no other files beside it.
  std::function<Result<void>(const std::string& from, const std::string& to, const GoOn& go_on)> copy_database;
  // Is the home in this folder one that would start: the database undamaged, of a known version, under the keys (its own where
  // the folder has them)? What does not open in it all the same, such as a row of the vault that was damaged before, for people.
  // Code::storage: the database is damaged, proved; any other error: it does not fit, or could not be tried.
  std::function<Result<std::vector<std::string>>(const std::string& folder)> check_home;
  // Key-encryption keys that rows of the database in that file name: they are to be kept as long as the backup.
  std::function<Result<std::vector<std::uint32_t>>(const std::string& database)> keys_named_in;
  std::string program;  // version
  GoOn go_on = [] { return true; };
};

struct Wish {
  const Secret* password = nullptr;  // recovery password; null: none, and the keys are left out
  bool with_audit = false;
  bool incremental = false;  // only what changed since the newest one
  std::vector<std::string> untried = {};  // names of those in the folder that it does not add to
};

struct Made {
  std::string name;
  std::string id, base;
  std::uint64_t bytes = 0;
  std::size_t files = 0;  // in it and in those that it stands on
  std::size_t stored = 0;  // of these, in it
  std::vector<std::string> notices;
};

Result<Made> create(const Places& places, const Tools& tools, const Wish& wish);

// Everything of the backup at `path` is opened, each digest compared, all written into a scratch folder in `scratch_in` and
// checked there as check_home does, then removed.
struct Verified {
  Manifest manifest;
  std::vector<std::string> unopened;  // what check_home says of it
  std::uint64_t bytes = 0;
};
Result<Verified> verify(const std::string& path, const Unlock& unlock, const std::string& scratch_in,
                        const Tools& tools);

// Removes scratch folders that a crash left in the home, as far as nobody works in them (`backup verify FILE`, say).
Result<void> sweep(const std::string& home);

}  // namespace sallyport::backup
