// Commands about calls that wait for people.
#include "cli/grammar.h"

namespace sallyport::cli {

void Grammar::approvals() {
  CLI::App* n = noun("approval", "Calls that a policy lets pass only when people approve them");
  CLI::App* list = command(n, "list", "Those that wait; with --state all, the others too", "approval list --state all");
  list->add_option("--state", o_.state, "pending (default), approved, denied, expired, cancelled, used or all")
      ->check(CLI::IsMember({"pending", "approved", "denied", "expired", "cancelled", "used", "all"}));
  lists(list);
  required_name(command(n, "show", "One with its exact arguments"), "ID");
  CLI::App* approve =
      command(n, "approve", "Let the call pass, once", "approval approve ID --reason 'asked for by phone'");
  CLI::App* deny = command(n, "deny", "Refuse the call", "approval deny ID --reason 'not to this address'");
  for (CLI::App* sub : {approve, deny}) {
    required_name(sub, "ID");
    sub->add_option("--reason", o_.reason, "For the caller and the audit");
  }
  required_name(command(n, "cancel", "Withdraw a call of your own that waits"), "ID");
}

}  // namespace sallyport::cli
