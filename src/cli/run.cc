#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "cli/arguments.h"
#include "cli/context.h"

namespace sallyport::cli {
namespace {

std::string from_environment(const Io& io, std::string_view name) {
  const auto found = io.environment.find(name);
  return found == io.environment.end() ? "" : found->second;
}

void settle_home(Options& options, const Io& io) {
  if (options.home.empty()) options.home = from_environment(io, "SALLYPORT_HOME");
  if (options.home.empty()) options.home = ".sallyport";
  std::error_code ec;
  const auto absolute = std::filesystem::absolute(options.home, ec);
  if (!ec) options.home = absolute.lexically_normal().string();
  while (options.home.size() > 1 && options.home.ends_with('/')) options.home.pop_back();
  if (!options.config) {
    const std::string file = from_environment(io, "SALLYPORT_CONFIG");
    if (!file.empty()) options.config = file;
  } else if (io.of_process) {
    // The hooks know the home only; they find an explicit settings file as a child process would. No thread runs yet.
    ::setenv("SALLYPORT_CONFIG", options.config->c_str(), 1);
  }
}

int run_serve(const Context& c) {
  if (!c.hooks.serve) return c.fail_with(kFailure, "this build cannot serve");
  return c.hooks.serve({c.options.home, c.options.config});
}

int run_init(const Context& c) {
  if (!c.hooks.init) return c.fail_with(kFailure, "this build cannot prepare a home");
  const auto text = c.hooks.init({c.options.home, c.options.config, c.options.json});
  if (!text)
    return c.fail_with(kFailure, text.error().detail.empty() ? info(text.error().code).public_text
                                                             : std::string_view(text.error().detail));
  c.io.out << *text;
  if (!text->empty() && !text->ends_with('\n')) c.io.out << "\n";
  return kOk;
}

int run_status(const Context& c) { return finish(c, c.api("GET", "/api/v1/status"), details(c)); }

int run_version(const Context& c) {
  if (c.options.json) c.io.out << R"({"version":")" << c.hooks.version << "\"}\n";
  else c.io.out << "sallyport " << c.hooks.version << "\n";
  return kOk;
}

int run_completion(const Context& c) {
  c.io.out << completion_script(c.options.name);
  return kOk;
}

struct Command {
  std::string_view first_word;
  int (*run)(const Context&);
};
constexpr std::array<Command, 29> kCommands{{
    {"init", run_init},
    {"serve", run_serve},
    {"stdio", run_stdio},
    {"status", run_status},
    {"healthcheck", run_healthcheck},
    {"doctor", run_doctor},
    {"server", run_server},
    {"tool", run_tool},
    {"user", run_user},
    {"mfa", run_mfa},
    {"toolset", run_toolset},
    {"role", run_role},
    {"group", run_group},
    {"identity", run_identity},
    {"access", run_access},
    {"approval", run_approval},
    {"certs", run_certs},
    {"policy", run_policy},
    {"label", run_label},
    {"key", run_key},
    {"session", run_session},
    {"token", run_token},
    {"vault", run_vault},
    {"backup", run_backup},
    {"audit", run_audit},
    {"config", run_config},
    {"import", run_import},
    {"completion", run_completion},
    {"version", run_version},
}};

}  // namespace

Io process_io() {
  config::Environment environment = config::process_environment();
  const auto no_colour = environment.find("NO_COLOR");
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  const bool colour = terminal && (no_colour == environment.end() || no_colour->second.empty());
  const bool interactive = ::isatty(STDIN_FILENO) == 1;
  return Io{std::cin, std::cout, std::cerr, colour, interactive, std::move(environment), true, terminal};
}

int run(int argc, const char* const* argv, const Hooks& hooks, Io& io) {
  Options options;
  if (const auto code = parse(argc, argv, hooks.version, options, io.out, io.err)) return *code;
  settle_home(options, io);
  const Context context{options, hooks, io};
  const std::string_view word = std::string_view(options.command).substr(0, options.command.find(' '));
  for (const Command& command : kCommands) {
    if (command.first_word == word && command.run != nullptr) return command.run(context);
  }
  return context.fail_with(kUsage, "no such command", "see sallyport --help");
}

}  // namespace sallyport::cli
