// Inside cli only: takes the secrets out of an imported server and puts references in their place. What it found is
// written to <home>/secrets by SecretFiles, never shown, never sent.
#pragma once

#include <string>
#include <vector>

#include "cli/import_read.h"
#include "config/config.h"
#include "core/secret.h"

namespace sallyport::cli {

struct FoundSecret {
  std::string file;  // under <home>/secrets: "github_GITHUB_TOKEN"
  Secret value;      // empty: the client asks its user for it; nothing to write
};

// Env, headers, arguments, URL. Client variables (${input:..}, ${userHome}) are resolved or reported in `notes` and
// `skip`.
std::vector<FoundSecret> take_secrets(ImportedServer& server, const config::Environment& environment);

// Writes <home>/secrets (0700) and the files (0600, of the home's owner). A file that exists with other content is left
// alone: error already_exists. `written` gets the paths of new files.
Result<void> write_secrets(const std::string& home, const std::vector<FoundSecret>& secrets,
                           std::vector<std::string>& written);

}  // namespace sallyport::cli
