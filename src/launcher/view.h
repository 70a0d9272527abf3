// What a server is to see of the file system, decided once for both ways of confinement: resolved, existing folders and
// files, none of which shows Sallyport's home. Pure but for realpath(3) and stat(2); launcher process only.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "launcher/launch_spec.h"

namespace sallyport::launcher {

struct Shown {
  std::string from;       // resolved path on this machine
  std::string at;         // where the server sees it (without namespaces: the same file by its own name)
  bool writable = false;
};

struct View {
  std::vector<Shown> shown;       // besides system_folders(): the program, the working directory, the declared paths
  std::string working_directory;  // empty: the private /tmp
};

// Code::config with the reason, for a relative or missing path, one that would show `home`, a bad name in env, an argv[0]
// that is not absolute; Code::upstream_unavailable for a program that is missing or not executable.
Result<View> make_view(const LaunchSpec& spec, const std::string& home);

// /usr and the folders of / that are part of it.
const std::vector<std::string>& system_folders();
// Files and folders of /etc that programs read: loader cache, names, time zone; with `network` resolver and certificates.
std::vector<std::string> etc_entries(bool network);

}  // namespace sallyport::launcher
