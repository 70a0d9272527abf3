// What the commands cannot do as a client, and app does for them: serve, first set-up, the REST handlers in process
// when no server runs, and the checks that need the whole product. Filled in once by app/main; called on the main
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"
#include "core/result.h"
#include "core/secret.h"

namespace sallyport::cli {

struct ApiAnswer {
  int status = 0;
  std::string body;  // JSON, or empty
};

struct ServeOptions {
  std::string home;
  std::optional<std::string> config;
};

struct InitOptions {
  std::string home;
  std::optional<std::string> config;
  bool json = false;
};

struct Check {
  enum class State : unsigned char { ok, warn, fail };
  State state = State::ok;
  std::string name;  // "home", "sandbox", ...
  std::string text;  // what was found
  std::string fix;   // empty when ok
};

struct AuditVerdict {
  bool intact = false;
  std::uint64_t records = 0;
  std::string problem;  // the first broken record and why
};

struct PolicyTrial {
  struct Test {
    std::string name;
    bool passed = false;
    std::string why;
  };
  std::string fault;  // "file:line:column: message"; empty: all compiles
  struct File {
    std::string name;
    std::size_t lines = 0;  // of rules
    std::vector<std::uint32_t> missed;  // those of them that no test reached, from 1
  };
  std::vector<std::string> notes;
  std::vector<Test> tests;
  std::vector<File> files;  // where coverage was asked for
  double percent = 0;       // of the lines of all files, how many a test reached
};

struct BackupFile {
  std::string home;
  std::string file;
  Secret password;  // empty: the home's keys
  bool force = false;
};

struct BackupReport {
  std::string id, made_at;
  std::size_t files = 0;
  std::vector<std::string> notices;
  std::string aside;  // of a restore: where what was there lies now; empty: nothing was
};

using PolicyFiles = std::vector<std::pair<std::string, std::string>>;  // name, source
enum class PolicyWish : unsigned char { check, tests, coverage };

struct Hooks {
  std::string version;
  // Serves until a signal ends it; the exit code.
  std::function<int(const ServeOptions&)> serve;
  // Prepares the home, idempotent; returns what is to be printed once (JSON object when options.json), or nothing new.
  std::function<Result<std::string>(const InitOptions&)> init;
  // With no server on <home>/admin.sock: takes the home's lock and runs the same handlers in process. `body`: JSON or
  // empty. Error Code::conflict: a server holds the lock after all.
  std::function<Result<ApiAnswer>(const std::string& home, std::string_view method, std::string_view path,
                                  std::string_view body)>
      local_request;
  std::function<Result<AuditVerdict>(const std::string& home)> verify_audit;
  // Compiles the *.rego of `folder` (empty: the home's), runs their tests, says what these reach. Error: it cannot be read.
  std::function<Result<PolicyTrial>(const std::string& home, const std::string& folder, PolicyWish wish)> try_policies;
  // What the package of that folder's policies says of the input, and why: the JSON of POST /policies/explain.
  std::function<Result<std::string>(const std::string& folder, const std::string& package, const std::string& input)>
      explain_policies;
  // The *.rego of `folder` (empty: the home's), by name. Error: it cannot be read, or there are none.
  std::function<Result<PolicyFiles>(const std::string& home, const std::string& folder)> read_policies;
  // Recorded decisions (the JSON of GET /policies/recorded) made once more under `files`: the JSON of POST /policies/replay.
  std::function<Result<std::string>(const PolicyFiles& files, const std::string& recorded)> replay_policies;
  // Everything of a backup is opened and checked; a home is made of it. Without the server; restoring takes the home's lock.
  std::function<Result<BackupReport>(const BackupFile&)> verify_backup, restore_backup;
  // Checks beyond the CLI's own (key file, database schema, launcher).
  std::function<std::vector<Check>(const config::Settings&)> doctor;
  // An envelope of the key exchange (docs/vault.md) for the key of that PEM.
  std::function<Result<std::string>(const std::string& public_pem, const std::string& subject, const Secret& value)>
      seal_envelope;
};

}  // namespace sallyport::cli
