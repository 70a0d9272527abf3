#include "launcher/view.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace sallyport::launcher {
namespace {

std::optional<std::string> resolve(const std::string& path) {
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved) == nullptr) return std::nullopt;
  return std::string(resolved);
}

bool is_folder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}
bool is_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

// `inner` is `outer` or lies in it. Both resolved.
bool within(std::string_view inner, std::string_view outer) {
  if (outer == "/") return true;
  return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '/');
}

bool shows_home(const std::string& path, const std::string& home) {
  return !home.empty() && (within(home, path) || within(path, home));
}

bool in_system(std::string_view path) {
  return std::ranges::any_of(system_folders(), [path](const std::string& folder) { return within(path, folder); });
}

std::string parent(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

// The folder that a program needs around it: its whole node_modules, its package (package.json, pyproject.toml) or
// virtual environment up to three folders above, else the folder it lies in.
std::string program_folder(const std::string& file) {
  if (const auto at = file.find("/node_modules/"); at != std::string::npos) return file.substr(0, at + 13);
  const std::string own = parent(file);
  std::string folder = own;
  for (int up = 0; up < 4 && folder != "/"; ++up, folder = parent(folder)) {
    for (const char* mark : {"/package.json", "/pyproject.toml", "/pyvenv.cfg"}) {
      if (is_file(folder + mark)) return folder;
    }
  }
  return own;
}

// A program outside the system folders, shown with what lies around it; alone where that would be `/`, a shared top
// folder or Sallyport's home.
void show_program(View& view, const std::string& file, const std::string& home) {
  const auto target = resolve(file);
  if (!target) return;
  for (const std::string& path : {*target, file}) {
    if (in_system(path)) continue;
    std::string folder = program_folder(path);
    const auto resolved = resolve(folder);
    const bool shared = std::ranges::count(folder, '/') < 2;  // "/", "/tmp", "/home"
    if (!resolved || shared || shows_home(*resolved, home)) {
      view.shown.push_back({*target, path, false});
    } else {
      view.shown.push_back({*resolved, std::move(folder), false});
    }
  }
}

Result<void> show_path(View& view, const std::string& path, bool writable, const std::string& home) {
  if (path.empty() || path[0] != '/') return fail(Code::config, "path is not absolute: " + path);
  const auto resolved = resolve(path);
  if (!resolved) return fail(Code::config, "path does not exist or cannot be reached: " + path);
  if (shows_home(*resolved, home)) return fail(Code::config, "path would show Sallyport's home: " + path);
  if (*resolved == "/") return fail(Code::config, "the root folder cannot be shown");
  view.shown.push_back({*resolved, path, writable});
  return {};
}

Result<void> show_declared(View& view, const LaunchSpec& spec, const std::string& home) {
  for (const std::string& entry : spec.paths) {
    const bool writable = entry.starts_with("rw:");
    if (!writable && !entry.starts_with("ro:")) return fail(Code::config, "path needs ro: or rw: in front: " + entry);
    SP_CHECK(show_path(view, entry.substr(3), writable, home));
  }
  return {};
}

Result<void> check_env(const LaunchSpec& spec) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  std::vector<std::string> names;
  for (const auto& [name, value] : spec.env) names.push_back(name);
  for (const auto& [name, value] : spec.files) names.push_back(name);
  for (const std::string& name : names) {
    const bool good = !name.empty() && letter(name[0]) &&
                      std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
    if (!good) return fail(Code::config, "not a name of an environment variable");
    // They would act on the launcher's own programs before the confinement stands.
    if (name.starts_with("LD_") || name == "GCONV_PATH" || name == "GLIBC_TUNABLES") {
      return fail(Code::config, "environment variable not allowed: " + name);
    }
  }
  return {};
}

Result<void> check_program(const LaunchSpec& spec) {
  if (spec.argv.empty() || spec.argv[0].empty() || spec.argv[0][0] != '/') {
    return fail(Code::config, "the program needs an absolute path");
  }
  const std::string& program = spec.argv[0];
  if (!is_file(program)) return fail(Code::upstream_unavailable, "program not found or not reachable: " + program);
  if (::access(program.c_str(), X_OK) != 0) return fail(Code::upstream_unavailable, "program not executable: " + program);
  return {};
}

}  // namespace

const std::vector<std::string>& system_folders() {
  static const std::vector<std::string> folders{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
  return folders;
}

std::vector<std::string> etc_entries(bool network) {
  std::vector<std::string> entries{"/etc/ld.so.cache", "/etc/alternatives", "/etc/nsswitch.conf", "/etc/localtime",
                                   "/etc/timezone", "/etc/mime.types", "/etc/ssl/openssl.cnf"};
  if (network) {  // openssl.cnf above: without it Node does not start at all
    for (const char* name : {"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf", "/etc/services",
                             "/etc/protocols", "/etc/ssl/certs", "/etc/pki/tls/certs"}) {
      entries.emplace_back(name);
    }
  }
  return entries;
}

Result<View> make_view(const LaunchSpec& spec, const std::string& home) {
  SP_CHECK(check_program(spec));
  SP_CHECK(check_env(spec));
  const std::string hidden = resolve(home).value_or(home);
  View view;
  show_program(view, spec.argv[0], hidden);
  // The script of an interpreter: the first argument that is no option, if it names a file.
  const auto script = std::find_if(spec.argv.begin() + 1, spec.argv.end(), [](const auto& arg) { return !arg.starts_with('-'); });
  if (script != spec.argv.end() && script->starts_with('/') && is_file(*script)) show_program(view, *script, hidden);
  if (!spec.working_directory.empty()) {
    SP_CHECK(show_path(view, spec.working_directory, false, hidden));
    if (!is_folder(spec.working_directory)) return fail(Code::config, "not a folder: " + spec.working_directory);
    view.working_directory = spec.working_directory;
  }
  SP_CHECK(show_declared(view, spec, hidden));
  return view;
}

}  // namespace sallyport::launcher
