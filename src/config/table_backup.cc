// The part of the table for backups.
#include "config/add_row.h"

namespace sallyport::config {

void add_backup(Add<Settings> add) {
  add.integer("backup.every_hours", 0, {0, 8760, "hours"},
              "How often a backup is made unasked (S2-11); 0: only when it is asked for.", SP_INTO(backup.every));
  add.integer("backup.keep", 7, {1, 1000, "backups"},
              "So many of the newest backups are kept, and those that they add to; older ones are removed after each.",
              SP_INTO(backup.keep));
  add.text("backup.path", "backups", {1, 4096, nullptr}, "Folder of the backups; relative to the home.",
           SP_INTO(backup.path));
  add.secret("backup.recovery_password",
             "Password of 12 to 1024 bytes that opens a backup where the home is lost; empty: none, and the keys are "
             "left out of it.",
             SP_INTO(backup.recovery_password));
  add.flag("backup.with_audit", false, "Put the audit into a backup as well.", SP_INTO(backup.with_audit));
  add.flag("backup.incremental", false, "A backup holds only what changed since the one before; verify needs them all.",
           SP_INTO(backup.incremental));
  add.flag("backup.verify", true,
           "Restore each backup into a scratch folder once it is made, and remove one that fails.",
           SP_INTO(backup.verify));
}

}  // namespace sallyport::config
