// What may be asked of the launcher, and how a process ended. Plain values: built by the gateway from what the operator
// approved, never from a client's request (threats.md, section 2, row 1). Values of the environment are secrets and are
// wiped after use. Limits: argv 256 items, env 128, files 16, paths 64, the whole specification 128 KiB.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/secret.h"

namespace sallyport::launcher {

// How a child is held. rlimits: neither namespaces nor Landlock exist on this machine.
enum class Confinement : std::uint8_t { bubblewrap, landlock, rlimits };
const char* confinement_name(Confinement confinement) noexcept;

// require: without bubblewrap nothing starts. prefer: bubblewrap, else Landlock, else rlimits alone (Child::confinement
// and Launcher::fallback_reason say so). fallback: never bubblewrap (tests, and machines where it is unwanted).
enum class Sandbox : std::uint8_t { require, prefer, fallback };

struct Limits {
  std::uint64_t data_bytes_max = 4ULL << 30;  // RLIMIT_DATA: Node reserves too much address space for RLIMIT_AS; 0 = default
  std::uint64_t file_bytes_max = 1ULL << 30;  // RLIMIT_FSIZE; also the size of the private /tmp, at most
  std::uint32_t open_files_max = 1024;        // RLIMIT_NOFILE
  std::uint32_t processes_max = 128;          // RLIMIT_NPROC, threads included; a sandbox counts its own only
  std::chrono::seconds cpu_max{0};            // RLIMIT_CPU; 0 = none: a server lives for days
};

struct LaunchSpec {
  std::string label;                                  // for messages, e.g. the server's name
  std::vector<std::string> argv;                      // argv[0] is an absolute path; never a shell line
  std::vector<std::pair<std::string, Secret>> env;    // besides PATH, HOME, LANG; names [A-Za-z_][A-Za-z0-9_]*
  std::vector<std::pair<std::string, Secret>> files;  // variable -> what the file holds whose path it names; in memory
  std::string working_directory;                      // absolute; shown read-only unless a path says rw; empty: private /tmp
  std::vector<std::string> paths;                     // "ro:/absolute" or "rw:/absolute"; never Sallyport's home
  bool network = false;                               // false: no socket beyond AF_UNIX, no interface
  Limits limits;
};

struct ExitStatus {
  int code = -1;   // exit code, or -1 where a signal ended it
  int signal = 0;  // the signal, or 0 (bubblewrap reports the signal of its child as code 128 + signal)
};

}  // namespace sallyport::launcher
