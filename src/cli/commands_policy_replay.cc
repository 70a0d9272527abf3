// What a candidate would have said to the calls of late.
#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <ostream>
#include <sstream>

#include "cli/policy_sources.h"

namespace sallyport::cli {
namespace {

// A new file for its owner alone: arguments may be private.
Result<void> write_private(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(Code::io, "cannot make the new file " + path);
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written <= 0) break;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::close(fd) != 0 || !text.empty()) return fail(Code::io, "cannot write " + path);
  return {};
}

int export_to(const Context& c) {
  const auto answer = c.api("GET", "/api/v1/policies/recorded");
  if (!answer || answer->status != 200) return finish(c, answer, details(c));
  if (const auto kept = write_private(c.options.export_to, answer->body); !kept) {
    return c.fail_with(kFailure, kept.error().detail, "name a file that is not there");
  }
  c.io.out << "wrote " << printable(c.options.export_to) << "; it holds the arguments of calls: keep it private\n";
  return kOk;
}

std::string report_text(const Context& c, json::Value report) {
  std::string out = cell_text(report, "compared") + " decisions: it would deny " + cell_text(report, "would_deny") +
                    ", allow " + cell_text(report, "would_allow") + ", fail at " + cell_text(report, "errors");
  if (cell_text(report, "left") != "0") out += "; no time for " + cell_text(report, "left");
  out += "\n";
  const json::Value differences = report.find("differences").value_or(json::Value());
  if (differences.size() == 0) return out;
  return out + render_table(differences,
                            {{"kind", "KIND"},
                             {"principal", "PRINCIPAL", 40},
                             {"permission", "PERMISSION"},
                             {"server", "SERVER", 24},
                             {"tool", "TOOL", 32},
                             {"recorded", "IT WAS", 60},
                             {"candidate", "IT WOULD BE", 60}},
                            c.io.colour);
}

Result<ApiAnswer> replay_file(const Context& c) {
  std::ifstream file(c.options.from, std::ios::binary);
  std::ostringstream text;
  if (!file.is_open() || !(text << file.rdbuf())) return fail(Code::io, "cannot read " + c.options.from);
  SP_TRY(const PolicyFiles files, policy_files(c, c.options.name));
  SP_TRY(std::string report, c.hooks.replay_policies(files, text.str()));
  return ApiAnswer{200, std::move(report)};
}

Result<ApiAnswer> replay_here(const Context& c) {
  SP_TRY(const PolicyFiles files, policy_files(c, c.options.name));
  json::Writer w;
  write_modules(w.object(), files);
  w.end_object();
  return c.api("POST", "/api/v1/policies/replay", w.text());
}

}  // namespace

int run_policy_replay(const Context& c) {
  if (!c.options.export_to.empty()) return export_to(c);
  const auto answer = c.options.from.empty() ? replay_here(c) : replay_file(c);
  bool differs = false;
  if (answer && answer->status == 200) {
    const auto report = json::read_upstream_document(answer->body, {.bytes_max = 64U << 20});
    differs = report && report->root().find("differences").value_or(json::Value()).size() != 0;
  }
  const int code = finish(c, answer, [&](json::Value report) { return report_text(c, report); });
  return code == kOk && differs ? kFailure : code;
}

}  // namespace sallyport::cli
