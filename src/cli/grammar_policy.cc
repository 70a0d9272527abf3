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
  CLI::App* test =
      command(n, "test", "Run the tests in *_test.rego of a folder; needs no server", "policy test ./policies");
  for (CLI::App* sub : {check, test}) {
    sub->add_option("FOLDER", o_.name, "Folder with files *.rego; without it, the home's own")->type_name("");
  }
}

}  // namespace sallyport::cli
