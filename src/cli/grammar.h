// Inside cli only: the grammar of the command line, built by CLI11. Each noun is a method; those of one subject share a file
// grammar_*.cc.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <optional>
#include <string>

#include "cli/options.h"

namespace sallyport::cli {

class Grammar {
 public:
  // `options` gets what is parsed, and outlives the grammar.
  explicit Grammar(Options& options);
  CLI::App app{"Sallyport: the guarded door between agents and their tools", "sallyport"};

 private:
  CLI::App* command(CLI::App* parent, const std::string& name, const std::string& about,
                    const std::string& example = "");
  CLI::App* noun(const std::string& name, const std::string& about);
  void required_name(CLI::App* sub, const std::string& label);
  void lists(CLI::App* sub);

  // arguments.cc
  void top();
  void servers();
  void upstream_tls(CLI::App* sub);
  void tools();
  void describe_tool(CLI::App* sub);
  void registry(CLI::App* n);
  void audit();
  void config();
  void others();

  // grammar_access.cc
  void toolsets();

  // grammar_people.cc
  void roles();
  void groups();
  void identities();
  void access();
  void scopes(CLI::App* sub);
  void users();
  void second_factors();
  // --NAME and --no-NAME; nothing said is nothing set.
  static void yes_or_no(CLI::App* sub, const std::string& name, std::optional<bool>& value, const std::string& about);
  void key_rights(CLI::App* sub);
  void keys();
  void sessions();
  void tokens();

  // grammar_backup.cc
  void backups();

  // grammar_approval.cc
  void approvals();

  // grammar_vault.cc
  void vault();
  // grammar_certs.cc
  void certificates();
  void vault_keys(CLI::App* n);

  // grammar_policy.cc
  void policies();
  void labels();
  void label_of(CLI::App* sub);  // a tool or server
  // grammar_policy_versions.cc
  void policy_versions(CLI::App* n);
  void explain_policy(CLI::App* n);
  void scaffold_policy(CLI::App* n);

  Options& o_;
  CLI::App* noun_tool_ = nullptr;
};

}  // namespace sallyport::cli
