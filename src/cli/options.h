// Inside cli only: one parsed command line. Every command has its own few of these fields; the rest keep their
// defaults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::cli {

struct Options {
  std::string command;  // "server add"
  std::string home;
  std::optional<std::string> config;
  bool json = false;

  std::string name;  // of the thing the command is about; FILE of import, SHELL of completion, ACTION of config
  std::vector<std::string> rest;  // command of a server, NAME=VALUE of a call

  // server add
  std::string transport, url, working_directory;
  std::vector<std::string> env, headers, query, files, paths, required, forwards;
  std::string tls_ca, client_certificate, client_key;
  std::vector<std::string> pins;
  bool network = false, shared = false, allow_private = false, no_probe = false, accept = false;
  std::optional<std::string> prefix;
  std::optional<std::int64_t> security_level;

  // lists, audit
  std::string server, tool, principal, result;
  std::int64_t limit = 50, offset = 0;

  // tool call
  std::string arguments;
  std::optional<std::int64_t> timeout;

  // tool register, tool update; words of tool search
  std::string version, title, schema, upstream, endpoint, status;
  std::vector<std::string> categories, tags;
  std::vector<std::string> tools, texts;  // toolset: SERVER/TOOL[=NAME], NAME=DESCRIPTION
  std::string toolset;                    // stdio
  std::optional<bool> enabled;
  bool unbind = false;

  // users and keys
  std::string email, expires_at, new_name;
  std::optional<std::string> description;
  std::vector<std::string> roles, scopes, addresses, inherits;
  std::optional<bool> can_read, can_create, can_update, can_delete, can_execute;
  bool no_scopes = false, no_roles = false, no_inherit = false, any_address = false, never_expires = false;
  std::optional<std::int64_t> grace;  // seconds
  bool generate = false, password_stdin = false;
  std::string user;  // session list, session end, group join, group leave, identity add
  std::string key_id, issuer;  // identity add
  std::string svg, png;  // mfa enroll

  std::vector<std::string> labels;
  bool no_labels = false;
  std::string label, reason;  // label clear; reason: approval approve, deny too

  bool revoke_old = false;  // token rotate

  bool csv = false;  // access review
  std::optional<std::int64_t> unused;  // days
  // policy activate, rollback, shadow, replay
  std::optional<std::int64_t> number, to;
  std::string from, export_to;
  bool force = false, stop = false, report = false;
  // policy test
  bool coverage = false;
  std::optional<double> threshold;  // percent

  // policy explain: --tool, --arguments stand above
  std::string input, folder, as, phase, door, address, protocol;

  std::string output;  // policy scaffold
  std::string state;  // approval list

  // vault: --file is `from`, --version `number`, --expires-in `grace`
  std::string owner;
  bool sealed = false, no_value = false, rotate = false;
  bool with_audit = false, incremental = false;  // backup create

  bool dry_run = false;  // import

  // certs: reason, revoke_old, user, output stand above
  std::string kind, key_type, pkcs12;
  std::vector<std::string> hosts, uris, emails, including;
  std::optional<std::int64_t> days;
};

}  // namespace sallyport::cli
