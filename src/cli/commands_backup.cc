// backup create, list, verify, restore. A backup is named as `list` shows it, or by its path: then no server is asked.
#include <algorithm>
#include <ostream>

#include "cli/ask_secret.h"
#include "cli/context.h"
#include "json/canonical.h"

namespace sallyport::cli {
namespace {

constexpr std::size_t kPasswordBytesMax = 1024;

// From stdin alone: what stands on a command line stands in the process list and in the shell's history.
Result<Secret> read_password(const Context& c, Asking asking) {
  if (!c.options.password_stdin) return Secret();
  SP_TRY(Secret password, ask_secret(c, "Recovery password", asking));
  if (!password.empty() && password.size() <= kPasswordBytesMax) return password;
  return fail(Code::validation, "stdin must hold a recovery password of at most 1024 bytes in one line");
}

// `unverified`: what the gateway answers 409 to is a backup that does not open, which has an exit code of its own.
int ask(const Context& c, const std::string& path, json::Writer& body, const Secret& password, const Render& render,
        bool unverified = false) {
  if (!password.empty()) {
    const auto written = write_secret(body, "recovery_password", password);
    if (!written) return c.fail_with(kUsage, written.error().detail);
  }
  std::string text = body.end_object().take();
  const auto answer = c.api("POST", path, text);
  wipe(text);
  const int code = finish(c, answer, render);
  return unverified && answer && answer->status == info(Code::conflict).http_status ? kUnverified : code;
}

std::string notices_of(json::Value root) {
  std::string out;
  const auto notices = root.find("notices");
  if (!notices) return out;
  for (const json::Value one : notices->elements()) out += "note: " + printable(one.as_string().value_or("")) + "\n";
  return out;
}

int create(const Context& c, const Secret& password) {
  json::Writer w;
  w.object();
  if (c.options.with_audit) w.member("with_audit", true);
  if (c.options.incremental) w.member("incremental", true);
  return ask(c, "/api/v1/backups", w, password, [&](json::Value root) {
    return printable(cell_text(root, "name")) + ": " + cell_text(root, "bytes") + " bytes, " +
           cell_text(root, "files") + " files\n" + notices_of(root);
  });
}

void print(const Context& c, const BackupReport& report, const std::string& said) {
  if (c.options.json) {
    json::Writer w;
    w.object().member("id", report.id).member("created_at", report.made_at).member("files", report.files);
    w.member("aside", report.aside).key("notices").array();
    for (const auto& notice : report.notices) w.value(notice);
    c.io.out << json::pretty(w.end_array().end_object().take()) << "\n";
    return;
  }
  c.io.out << said << ": " << report.files << " files of " << report.made_at << "\n";
  if (!report.aside.empty()) c.io.out << "what was there lies in " << printable(report.aside) << "\n";
  for (const auto& notice : report.notices) c.io.out << "note: " << printable(notice) << "\n";
}

int exit_of(const Error& error) {
  return error.code == Code::crypto ? kUnverified : error.code == Code::not_found ? kNotFound : kFailure;
}

int verify(const Context& c, Secret password) {
  const std::string& name = c.options.name;
  if (name.find('/') == std::string::npos) {
    json::Writer w;
    w.object();
    const auto render = [&](json::Value root) {
      return "verified: " + cell_text(root, "files") + " files\n" + notices_of(root);
    };
    return ask(c, "/api/v1/backups/" + url_encode(name) + "/verify", w, password, render, true);
  }
  if (!c.hooks.verify_backup) return c.fail_with(kFailure, "this build cannot verify");
  const auto report = c.hooks.verify_backup({c.options.home, name, std::move(password), false});
  if (!report) return c.fail_with(exit_of(report.error()), report.error().detail);
  print(c, *report, "verified");
  return kOk;
}

int restore(const Context& c, Secret password) {
  if (!c.hooks.restore_backup) return c.fail_with(kFailure, "this build cannot restore");
  const auto report = c.hooks.restore_backup({c.options.home, c.options.name, std::move(password), c.options.force});
  if (!report) return c.fail_with(exit_of(report.error()), report.error().detail);
  print(c, *report, "restored " + c.options.home);
  return kOk;
}

}  // namespace

int run_backup(const Context& c) {
  const std::string what = c.options.command.substr(7);
  auto password = read_password(c, what == "create" ? Asking::twice : Asking::once);
  if (!password) return c.fail_with(kUsage, password.error().detail);
  if (what == "create") return create(c, *password);
  if (what == "verify") return verify(c, std::move(*password));
  if (what == "restore") return restore(c, std::move(*password));
  const std::string page =
      query({{"limit", std::to_string(c.options.limit)}, {"offset", std::to_string(c.options.offset)}});
  return finish(c, c.api("GET", "/api/v1/backups" + page),
                list_of(c,
                        {{"name", "NAME", 60},
                         {"created_at", "CREATED"},
                         {"authentic", "AUTHENTIC"},
                         {"bytes", "BYTES"},
                         {"recovery_password", "PASSWORD"},
                         {"base", "ADDS TO", 34}},
                        "No backups; make one with 'sallyport backup create'"));
}

}  // namespace sallyport::cli
