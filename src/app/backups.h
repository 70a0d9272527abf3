// Backups: what control/backup needs of the rest of the product, and the commands that work on a home without its server.
#pragma once

#include "app/app.h"
#include "cli/hooks.h"
#include "control/backup/restore.h"

namespace sallyport::app {

// The settings once more, of a home that a restore has just been finished in.
Result<void> reread_settings(AppOptions& options);

// What opens keyrings, by what whoever runs the home says. Null: the key file beside the keyring.
using Source = std::function<Result<crypto::UnsealSource>()>;

// Where the parts of a home lie; what making and restoring a backup of it takes. `keys`: null: the home has none. `source`: for
// keys that a backup brings, whose own settings are not asked.
backup::Places backup_places(const config::Settings& settings);
backup::Tools backup_tools(const Clock& clock, Random& random, const crypto::KeyStore* keys, Source source = nullptr);

// All but `note` outlives it.
Result<std::unique_ptr<backup::Desk>> make_backup_desk(const AppOptions& options, const Clock& clock, Random& random,
                                                       const crypto::KeyStore& keys, control::Repository& repository,
                                                       std::function<void(std::string, bool)> note);

// The records that a restored home's audit begins with: restores that no audit tells of yet. Then they are told.
Result<void> note_restores(const std::string& home, audit::AuditWriter& writer, WallTime now);

// cli::Hooks::restore_backup and verify_backup.
Result<cli::BackupReport> restore_backup(const cli::BackupFile& from);
Result<cli::BackupReport> verify_backup(const cli::BackupFile& from);

}  // namespace sallyport::app
