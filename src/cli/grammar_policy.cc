// Commands about policies.
#include "cli/grammar.h"

namespace sallyport::cli {

void Grammar::policies() {
  CLI::App* n = noun("policy", "Rego that refuses what roles grant");
  lists(command(n, "list", "The policies in force"));
  CLI::App* eval =
      command(n, "eval", "What a policy in force would say; decides nothing",
              "policy eval tool_access --input '{\"action\": \"execute\", \"user\": {\"roles\": [\"user\"]}}'");
  required_name(eval, "POLICY");
  eval->add_option("--input", o_.arguments, "The input as a JSON object, @FILE, or - for stdin")->required();
  CLI::App* check = command(n, "check", "Do the files of a folder compile? Needs no server", "policy check ./policies");
  CLI::App* test = command(n, "test", "Run the tests in *_test.rego of a folder; needs no server",
                           "policy test ./policies --coverage --threshold 90");
  for (CLI::App* sub : {check, test}) {
    sub->add_option("FOLDER", o_.name, "Folder with files *.rego; without it, the home's own")->type_name("");
  }
  policy_versions(n);
  explain_policy(n);
  scaffold_policy(n);
  test->add_flag("--coverage", o_.coverage,
                 "Say what share of the lines of rules the tests reach, and which they do not");
  test->add_option("--threshold", o_.threshold, "Fail where they reach less than so many percent of them")
      ->check(CLI::Range(0.0, 100.0));
}

void Grammar::labels() {
  CLI::App* n = noun("label", "What calls have left with their callers");
  CLI::App* list =
      command(n, "list", "Who carries which labels, until when", "label list --principal key:0123456789abcdef");
  list->add_option("--principal", o_.principal, "Of one principal");
  lists(list);
  CLI::App* clear = command(n, "clear", "Take a label, or all, away from a principal; the audit keeps who and why",
                            "label clear user:ada private_data --reason 'looked through by Bob'");
  required_name(clear, "PRINCIPAL");
  clear->add_option("LABEL", o_.label, "One of them; without it, all")->type_name("");
  clear->add_option("--reason", o_.reason, "Why, for the audit")->required();
}

void Grammar::label_of(CLI::App* sub) {
  required_name(sub, "NAME");
  sub->add_option("LABEL", o_.labels, "private_data, untrusted_content, external_sink, or names of your own")
      ->type_name("")
      ->excludes(sub->add_flag("--none", o_.no_labels, "No labels"));
}

void Grammar::scaffold_policy(CLI::App* n) {
  CLI::App* sub = command(n, "scaffold", "Write a policy to begin with, made from the approved tools, and tests of it",
                          "policy scaffold --server bank -o policies/tool_access.rego");
  sub->add_option("--server", o_.server, "Of the tools of one server");
  sub->add_option("-o,--output", o_.output,
                  "A new file *.rego; *_test.rego and, where it is missing, admin_access.rego are written beside it")
      ->type_name("FILE");
}

void Grammar::explain_policy(CLI::App* n) {
  CLI::App* sub =
      command(n, "explain", "Why a call or an input is allowed or refused: roles, rules and lines; nothing is done",
              "policy explain --as ada --tool bank/pay --arguments '{\"amount\": 9}'\n"
              "  sallyport policy explain tool_access --input @case.json --folder ./policies");
  auto* package = sub->add_option("POLICY", o_.name, "The package that is asked with --input")->type_name("");
  auto* input = sub->add_option("--input", o_.input, "The input as a JSON object, @FILE, or - for stdin");
  sub->add_option("--folder", o_.folder,
                  "Explain the files of this folder instead of what is in force; needs no server")
      ->needs(input);
  package->needs(input);
  input->needs(package);
  auto* as = sub->add_option("--as", o_.as, "Who calls: a user by name or id, or a key by id")->excludes(input);
  auto* tool = sub->add_option("--tool", o_.tool, "SERVER/TOOL, or its name on /mcp")->needs(as);
  as->needs(tool);
  sub->add_option("--arguments", o_.arguments, "What it is called with: a JSON object, @FILE, or - for stdin")
      ->needs(as);
  sub->add_option("--phase", o_.phase, "call (default), or list")->check(CLI::IsMember({"call", "list"}))->needs(as);
  sub->add_option("--door", o_.door, "mcp (default), or rest")->check(CLI::IsMember({"mcp", "rest"}))->needs(as);
  sub->add_option("--address", o_.address, "Where it comes from, for rules that read that")->needs(as);
  sub->add_option("--protocol", o_.protocol, "Its MCP version, for rules that read that")->needs(as);
}

}  // namespace sallyport::cli
