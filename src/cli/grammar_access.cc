// Commands about what is offered to whom.
#include "cli/grammar.h"

namespace sallyport::cli {

void Grammar::toolsets() {
  CLI::App* n = noun("toolset", "Choices of tools with a URL of their own, /mcp/p/NAME");
  lists(command(n, "list", "All toolsets"));
  required_name(command(n, "show", "One toolset"), "NAME");
  CLI::App* add =
      command(n, "add", "Make a toolset",
              "toolset add mail --tool gmail/send_email=send --tool gmail/search --describe 'send=Send one e-mail'");
  CLI::App* update =
      command(n, "update", "Change a toolset; what is not named stays", "toolset update mail --no-enabled");
  for (CLI::App* sub : {add, update}) {
    required_name(sub, "NAME");
    sub->add_option("--tool", o_.tools, "All its tools: SERVER/TOOL, or SERVER/TOOL=NAME to show it by another name")
        ->allow_extra_args(false);
    sub->add_option("--describe", o_.texts, "NAME=TEXT: a description in place of the tool's own; goes with --tool")
        ->needs("--tool")
        ->allow_extra_args(false);
    sub->add_option("--description", o_.description, "What it is for");
  }
  yes_or_no(update, "enabled", o_.enabled, "Offer it, or not");
  required_name(command(n, "delete", "Take a toolset away; its tools stay"), "NAME");
}

}  // namespace sallyport::cli
