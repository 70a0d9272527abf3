// A home from a backup. What is restored is complete, checked and synced in a scratch folder of the home before anything else is
// touched; then one file, restore.pending, takes its name, and from that moment the home is the restored one: the moves that
// follow are finished by whoever opens the home next, should this process die (finish_restore). No folder beside the home is
// written, so that it works where the home is a mount point; outside of it only the database, where storage.url of the restored
// settings puts it elsewhere (elsewhere.h). The caller holds the home's lock; nothing of the home is open.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "control/backup/create.h"

namespace sallyport::backup {

struct RestoreWish {
  std::string file;  // the backup
  const Secret* password = nullptr;
  bool force = false;  // over a home that holds something; what it held is kept aside
  std::string by;  // who restores, for the audit of the restored home: "local:<uid>"
  // Where the home that is restored in this folder, and belongs into `home`, has its database: absolute; empty: in `home` as
  // sallyport.db. Null: so always.
  std::function<std::string(const std::string& scratch)> database_of;
};

struct Restored {
  Manifest manifest;
  std::vector<std::string> unopened;  // what check_home says of it
  std::string aside;  // folder of the home that holds what was there; empty: nothing was
  std::string database;  // where it was put by database_of; empty: into the home
  std::string database_aside;  // where what was there lies now; empty: nothing was
};

// Code::conflict: the home holds something, and `force` was not said. `tools.keys` are those of the home; where it has none, the
// backup opens by its recovery password alone, and brings the keys.
Result<Restored> restore(const std::string& home, const Tools& tools, const RestoreWish& wish);

// What the audit of a restored home has to begin with: who put which backup in the place of the home, and when. It lies in the
// home from the moment at which that is the restored one, until the record is written and its file removed.
struct RestoreNote {
  std::string path;
  std::string by, at;  // ISO 8601, UTC
  std::string backup, made_at;
};
// Those of this home, the oldest first.
Result<std::vector<RestoreNote>> restore_notes(const std::string& home);

// Ends a restore that a crash cut: forward where restore.pending is there, else the scratch goes and the home is as it was. True:
// the home is a restored one. First of all when a home is opened, under its lock.
Result<bool> finish_restore(const std::string& home);

}  // namespace sallyport::backup
