// Commands about versions of the policies.
#include "cli/grammar.h"

namespace sallyport::cli {

void Grammar::policy_versions(CLI::App* n) {
  lists(command(n, "versions", "Sets of policies that were known: which is in force, who put it there and why"));
  required_name(command(n, "show", "One of them with its modules", "policy show active"), "VERSION");
  command(n, "diff", "What differs between two of them; exit 1 where something does", "policy diff active ./policies")
      ->add_option("VERSION", o_.rest, "Two of: a number, active, shadow, a folder")
      ->required()
      ->expected(2)
      ->type_name("");
  CLI::App* activate =
      command(n, "activate", "Put the files of a folder in force once they compile and their tests pass, or a version",
              "policy activate ./policies --reason 'limits for payments'\n"
              "  sallyport policy activate --version 7 --reason 'reviewed by Ada'");
  activate->add_option("FOLDER", o_.name, "Folder with files *.rego; without it, the home's own")->type_name("");
  activate->add_option("--version", o_.number, "A version that is kept, instead of a folder")
      ->check(CLI::PositiveNumber)
      ->excludes("FOLDER");
  CLI::App* back = command(n, "rollback", "Put in force what was in force before; works while no server runs too",
                           "policy rollback --reason 'payments were refused'");
  back->add_option("--to", o_.to, "Back to this version")->check(CLI::PositiveNumber);
  for (CLI::App* sub : {activate, back}) {
    sub->add_option("--reason", o_.reason, "Why; stands in the audit")->required();
    sub->add_flag("--force", o_.force, "Though a test fails, or a package is missing and everything would be refused");
  }
  CLI::App* shadow = command(n, "shadow", "Try a version, or the files of a folder, beside what is in force",
                             "policy shadow ./policies\n  sallyport policy shadow --report");
  shadow->add_option("VERSION", o_.name, "A number, or a folder; without it, what was found so far")->type_name("");
  shadow->add_option("--reason", o_.reason, "Of the version that is made of a folder");
  shadow->add_flag("--report", o_.report, "What was found so far")->excludes("VERSION");
  shadow->add_flag("--stop", o_.stop, "Try nothing any more")->excludes("VERSION")->excludes("--report");
  CLI::App* replay =
      command(n, "replay", "What a version, or a folder, would have said to the calls of late; exit 1 where it differs",
              "policy replay ./policies\n"
              "  sallyport policy replay --export calls.json && sallyport policy replay ./policies --from calls.json");
  replay->add_option("VERSION", o_.name, "A number, shadow, active, or a folder; without it, the home's own")
      ->type_name("");
  replay->add_option("--from", o_.from, "Recorded decisions of this file, without the gateway where a folder is named");
  replay
      ->add_option("--export", o_.export_to,
                   "Write the recorded decisions, arguments included, to this new file instead")
      ->excludes("VERSION")
      ->excludes("--from");
  required_name(command(n, "forget", "Remove a candidate that was never in force"), "VERSION");
}

}  // namespace sallyport::cli
