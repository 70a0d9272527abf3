// Commands about backups.
#include "cli/grammar.h"

namespace sallyport::cli {

void Grammar::backups() {
  CLI::App* n = noun("backup", "Encrypted copies of this home, and the way back");
  lists(command(n, "list", "The backups in their folder (backup.path)"));
  CLI::App* create = command(n, "create", "Make a backup now, and try it by restoring it into a scratch folder",
                             "backup create\n  sallyport backup create --with-audit --password-stdin < recovery.txt");
  create->add_flag("--with-audit", o_.with_audit, "The audit as well; without it, as backup.with_audit says");
  create->add_flag("--incremental", o_.incremental,
                   "Only what changed since the one before; without it, as backup.incremental says");
  CLI::App* verify =
      command(n, "verify", "Open all of a backup, restore it into a scratch folder, check that, remove it",
              "backup verify sallyport-20261122T134500Z-1a2b3c4d.backup");
  required_name(verify, "BACKUP");
  CLI::App* restore =
      command(n, "restore", "Make this home from a backup; its server must not run",
              "backup restore /mnt/backups/sallyport-20261122T134500Z-1a2b3c4d.backup --home /var/lib/sallyport");
  required_name(restore, "FILE");
  restore->add_flag("--force", o_.force,
                    "Over a home that holds something: that is kept in before-restore-... inside it");
  for (CLI::App* sub : {create, verify, restore}) {
    sub->add_flag("--password-stdin", o_.password_stdin, "Read the recovery password from stdin");
  }
}

}  // namespace sallyport::cli
