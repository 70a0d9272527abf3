#include "cli/arguments.h"

#include <algorithm>
#include <ostream>

#include "cli/completion_nodes.h"
#include "cli/exit_code.h"
#include "cli/grammar.h"
#include "cli/shell_completion.h"

namespace sallyport::cli {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 done, 1 failed, 2 usage, 3 refused or denied, 4 not found, 5 gateway not reachable,\n"
    "6 verification failed, 7 over a limit.\n\n"
    "Examples:\n"
    "  sallyport init && sallyport serve\n"
    "  sallyport server add calc -- /usr/bin/calculator --quiet\n"
    "  sallyport tool call calc_add a=1 b=2\n"
    "  sallyport key create my-agent --can-read --can-execute --scope 'tool:execute@calc'\n"
    "  sallyport import ~/.config/Claude/claude_desktop_config.json --dry-run";

}  // namespace

Grammar::Grammar(Options& options) : o_(options) {
  app.require_subcommand(1);
  app.fallthrough();  // --home and --json may stand behind the command too
  app.footer(kFooter);
  app.add_option("--home", o_.home, "Folder of the installation (default: ./.sallyport, or SALLYPORT_HOME)")
      ->type_name("DIR");
  app.add_option("--config", o_.config, "Settings file (default: HOME/sallyport.yaml, or SALLYPORT_CONFIG)")
      ->type_name("FILE");
  app.add_flag("--json", o_.json, "Print the API's JSON instead of tables");
  top();
  servers();
  tools();
  registry(noun_tool_);
  users();
  toolsets();
  roles();
  groups();
  identities();
  access();
  policies();
  labels();
  approvals();
  certificates();
  second_factors();
  keys();
  sessions();
  tokens();
  vault();
  backups();
  audit();
  config();
  others();
}

CLI::App* Grammar::command(CLI::App* parent, const std::string& name, const std::string& about,
                           const std::string& example) {
  CLI::App* sub = parent->add_subcommand(name, about);
  const std::string full = parent == &app ? name : parent->get_name() + " " + name;
  sub->callback([this, full] { o_.command = full; });
  if (!example.empty()) sub->footer("Example:\n  sallyport " + example);
  return sub;
}

CLI::App* Grammar::noun(const std::string& name, const std::string& about) {
  CLI::App* sub = app.add_subcommand(name, about);
  sub->require_subcommand(1);
  sub->fallthrough();
  return sub;
}

void Grammar::required_name(CLI::App* sub, const std::string& label) {
  sub->add_option(label, o_.name, "")->required()->type_name("");
}

void Grammar::lists(CLI::App* sub) {
  sub->add_option("--limit", o_.limit, "At most so many (1 to 1000)")->check(CLI::Range(1, 1000));
  sub->add_option("--offset", o_.offset, "Leave out the first")->check(CLI::NonNegativeNumber);
}

void Grammar::top() {
  command(&app, "init", "Prepare the home: keys, database, an admin and an agent's key, shown once",
          "init --home /var/lib/sallyport");
  command(&app, "serve", "Run the gateway until SIGTERM", "serve --config /etc/sallyport.yaml");
  CLI::App* stdio =
      command(&app, "stdio", "Let a client that speaks only stdio reach the running gateway (MCP_API_KEY)",
              "stdio --server calc");
  stdio->add_option("--url", o_.url, "Of the gateway (default: its own settings)");
  stdio->add_option("--server", o_.server, "One server instead of all");
  stdio->add_option("--toolset", o_.toolset, "One toolset instead of all")->excludes("--server");
  command(&app, "status", "What the running gateway says of itself", "status --json");
  command(&app, "healthcheck", "Exit 0 when the gateway answers /health, else 1 (for containers)", "healthcheck")
      ->add_option("--url", o_.url, "Of the gateway (default: its own settings)");
  command(&app, "doctor", "Check the installation and say how to mend it", "doctor");
}

void Grammar::upstream_tls(CLI::App* sub) {
  sub->add_option("--ca", o_.tls_ca, "PEM file of the authorities that may vouch for it, in place of the system's")
      ->type_name("FILE");
  sub->add_option("--pin", o_.pins, "sha256/BASE64 of a key, one of which is in its chain")->allow_extra_args(false);
  sub->add_option("--client-cert", o_.client_certificate, "PEM file of the certificate that it is shown, leaf first")
      ->type_name("FILE");
  sub->add_option("--client-key", o_.client_key, "Its key: '${file:PATH}' or '${vault:NAME}'")->type_name("REFERENCE");
}

void Grammar::servers() {
  CLI::App* n = noun("server", "Upstream MCP servers");
  CLI::App* add = command(
      n, "add", "Register a server and list its tools",
      "server add notes --env 'TOKEN=${file:secrets/notes}' -- /usr/bin/notes-server --stdio\n"
      "  sallyport server add web --url https://tools.example.com/mcp --header 'Authorization=Bearer ${env:WEB}'");
  required_name(add, "NAME");
  add->add_option("COMMAND", o_.rest, "Program (absolute or on the PATH) and its arguments, after --");
  add->add_option("--url", o_.url, "Endpoint of an HTTP server");
  add->add_option("--env", o_.env, "NAME=VALUE of its environment; secrets as ${vault:..}, ${file:..} or ${env:..}")
      ->allow_extra_args(false);
  add->add_option("--header", o_.headers, "NAME=VALUE sent to an HTTP server")->allow_extra_args(false);
  add->add_option("--query", o_.query, "NAME=VALUE behind the URL of an HTTP server")->allow_extra_args(false);
  add->add_option("--secret-file", o_.files, "NAME=VALUE: a variable that names a file in memory, and what it holds")
      ->allow_extra_args(false);
  add->add_option("--path", o_.paths, "Folder shown inside the sandbox: ro:/path or rw:/path")->allow_extra_args(false);
  add->add_option("--working-directory", o_.working_directory, "Where it runs");
  add->add_flag("--network", o_.network, "Let it reach the network");
  add->add_option("--prefix", o_.prefix, "Of its names on /mcp (default: NAME)");
  add->add_flag("--shared", o_.shared, "One session for all principals");
  add->add_option("--security-level", o_.security_level, "Of its tools, 0 to 10")->check(CLI::Range(0, 10));
  add->add_flag("--allow-private", o_.allow_private, "It may live at a loopback or private address");
  add->add_option("--requires", o_.required, "Permission that each of its tools requires, such as gmail.send")
      ->allow_extra_args(false);
  add->add_option("--forward", o_.forwards,
                  "What it may ask the client behind a call: elicitation, sampling, roots; none for nothing "
                  "(default: elicitation and sampling)")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"elicitation", "sampling", "roots", "none"}));
  add->add_option("--label", o_.labels, "What a call of any of its tools leaves with its caller, such as private_data")
      ->allow_extra_args(false);
  upstream_tls(add);
  add->add_flag("--no-probe", o_.no_probe, "Register without starting it");
  lists(command(n, "list", "All servers"));
  required_name(command(n, "show", "One server"), "NAME");
  required_name(command(n, "remove", "Forget a server and its tools"), "NAME");
  CLI::App* probe =
      command(n, "probe", "Start it, list its tools, compare with what was approved", "server probe notes --accept");
  required_name(probe, "NAME");
  probe->add_flag("--accept", o_.accept, "Approve new and changed tools");
  required_name(command(n, "restart", "End its sessions and processes"), "NAME");
  CLI::App* tls =
      command(n, "tls", "Say what TLS to an HTTP server demands, in place of what was said; nothing: the usual",
              "server tls web --ca /etc/web/ca.pem --pin sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  required_name(tls, "NAME");
  upstream_tls(tls);
  label_of(command(n, "label", "Say what calls of all of its tools leave with their callers; in place of what was said",
                   "server label mail private_data untrusted_content"));
}

void Grammar::tools() {
  CLI::App* n = noun_tool_ = noun("tool", "Tools of the servers, and registered ones");
  CLI::App* list = command(n, "list", "All tools you may see", "tool list --server calc");
  list->add_option("--server", o_.server, "Of one server");
  lists(list);
  required_name(command(n, "show", "One tool: its schema, digest, what is not enforced", "tool show calc_add"), "NAME");
  CLI::App* call = command(n, "call", "Call a tool through the whole gateway", "tool call calc_add a=1 b=2");
  required_name(call, "NAME");
  call->add_option("ARGUMENT", o_.rest, "NAME=VALUE; the value is read as JSON where it is JSON, else as text");
  call->add_option("--arguments", o_.arguments, "All arguments as a JSON object, @FILE, or - for stdin");
  call->add_option("--timeout", o_.timeout, "Seconds, 1 to 300");
}

void Grammar::describe_tool(CLI::App* sub) {
  sub->add_option("--tool-version", o_.version, "Its version, free text");
  sub->add_option("--title", o_.title, "For people");
  sub->add_option("--description", o_.description, "What it does; models read it");
  sub->add_option("--schema", o_.schema, "JSON Schema of its arguments: text, @FILE, or - for stdin");
  sub->add_option("--security-level", o_.security_level, "0 to 10")->check(CLI::Range(0, 10));
  sub->add_option("--category", o_.categories, "One of its categories")->allow_extra_args(false);
  sub->add_option("--tag", o_.tags, "One of its tags")->allow_extra_args(false);
  sub->add_option("--label", o_.labels, "What a call leaves with its caller, such as private_data")
      ->allow_extra_args(false);
  sub->add_option("--status", o_.status, "active or disabled")->check(CLI::IsMember({"active", "disabled"}));
  auto* upstream = sub->add_option("--upstream", o_.upstream, "SERVER/TOOL that a call of it is");
  auto* endpoint = sub->add_option("--endpoint", o_.endpoint, "URL that gets its arguments by POST");
  endpoint->excludes(upstream);
  sub->add_option("--header", o_.headers, "NAME=VALUE sent to the endpoint")->allow_extra_args(false)->needs(endpoint);
  sub->add_flag("--allow-private", o_.allow_private, "The endpoint may live at a private address")->needs(endpoint);
  sub->add_option("--timeout", o_.timeout, "Seconds the endpoint has, 1 to 300")->needs(endpoint);
}

void Grammar::registry(CLI::App* n) {
  CLI::App* add =
      command(n, "register", "Register a tool: a name for a server's tool, an endpoint, or a catalogue entry",
              "tool register weather --endpoint https://tools.example.com/weather --schema @weather.json");
  required_name(add, "NAME");
  describe_tool(add);
  CLI::App* update = command(n, "update", "Change a registered tool; what is not named stays",
                             "tool update weather --description 'The weather of today'");
  required_name(update, "NAME");
  describe_tool(update);
  update->add_flag("--unbind", o_.unbind, "Bound to nothing any more: a catalogue entry");
  required_name(command(n, "unregister", "Remove a registered tool"), "NAME");
  label_of(command(n, "label", "Say what calls of a tool leave with their callers, beside its server's labels",
                   "tool label mail/send external_sink"));
  CLI::App* search =
      command(n, "search", "Tools that have all of the words, the best match first", "tool search weather");
  search->add_option("WORD", o_.rest, "Words; the beginning of one will do")->required()->type_name("");
  lists(search);
}

void Grammar::audit() {
  CLI::App* n = noun("audit", "The evidence");
  CLI::App* tail = command(n, "tail", "The last records", "audit tail --result denied --limit 20");
  tail->add_option("--limit", o_.limit, "At most so many (1 to 1000)")->check(CLI::Range(1, 1000));
  tail->add_option("--principal", o_.principal, "Of one principal");
  tail->add_option("--server", o_.server, "Of one server");
  tail->add_option("--tool", o_.tool, "Of one tool");
  tail->add_option("--result", o_.result, "success, denied or error");
  command(n, "verify", "Prove that no record was changed, dropped or cut off; exit 6 names the first broken one");
}

void Grammar::config() {
  CLI::App* n = noun("config", "Settings");
  command(n, "check", "Read the settings as serve would; every mistake with line, reason and fix",
          "config check --config new.yaml");
  command(n, "explain", "Every setting, its value and where it came from");
  command(n, "schema", "JSON Schema of sallyport.yaml, for editors");
}

void Grammar::others() {
  CLI::App* import =
      command(&app, "import", "Register the servers of a client's own settings; secrets become references",
              "import .vscode/mcp.json --dry-run");
  import->add_option("FILE", o_.name, "Of Claude Desktop, Cursor or VS Code; never changed")->required()->type_name("");
  import->add_flag("--dry-run", o_.dry_run, "Show what would be done");
  import->add_flag("--no-probe", o_.no_probe, "Register without starting anything");
  command(&app, "completion", "Completion script for a shell",
          "completion bash > ~/.local/share/bash-completion/completions/sallyport")
      ->add_option("SHELL", o_.name, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("");
  command(&app, "version", "The version");
}

std::optional<int> parse(int argc, const char* const* argv, const std::string& version, Options& options,
                         std::ostream& out, std::ostream& err) {
  try {
    Grammar grammar(options);
    grammar.app.set_version_flag("--version", version);
    try {
      grammar.app.parse(argc, argv);
      return std::nullopt;
    } catch (const CLI::ParseError& error) { return grammar.app.exit(error, out, err) == 0 ? kOk : kUsage; }
  } catch (const std::exception& error) {
    err << "sallyport: " << error.what() << "\n";
    return kUsage;
  }
}

std::string completion_script(const std::string& shell) {
  Options unused;
  const Grammar grammar(unused);
  return completion_text(shell, completion_nodes(grammar.app, {"--home", "--config", "--json", "--help"}));
}

}  // namespace sallyport::cli
