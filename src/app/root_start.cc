#include "app/root_start.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

namespace sallyport::app {
namespace {

namespace fs = std::filesystem;

// The owner where it is not root; nothing where there is no such thing.
std::optional<RunAs> other_owner(const struct stat& found) {
  if (found.st_uid == 0) return std::nullopt;
  return RunAs{found.st_uid, found.st_gid};
}

std::optional<RunAs> owner_of_home(const std::string& home) {
  struct stat found{};
  return ::stat(home.c_str(), &found) == 0 ? other_owner(found) : std::nullopt;
}

// Of a file, or a link to one: who could put another in its place.
std::optional<RunAs> author_of(const std::string& file) {
  struct stat found{};
  const std::string folder = fs::path(file).parent_path().string();
  if (::stat(folder.c_str(), &found) == 0 && found.st_uid != 0) return other_owner(found);
  return ::lstat(file.c_str(), &found) == 0 ? other_owner(found) : std::nullopt;
}

bool open_to_others(const struct stat& found) {
  const bool by_group = (found.st_mode & S_IWGRP) != 0 && found.st_gid != 0;
  return by_group || (found.st_mode & S_IWOTH) != 0;
}

// Root alone puts things there, or puts others in their place.
bool is_roots_folder(const fs::path& folder) {
  struct stat found{};
  if (::stat(folder.c_str(), &found) != 0 || found.st_uid != 0) return false;
  return !open_to_others(found) || (found.st_mode & S_ISVTX) != 0;
}

// Nobody else can have written it, nor put it there.
bool is_roots_own(const std::string& file) {
  struct stat there{};
  if (::lstat(file.c_str(), &there) != 0 || !S_ISREG(there.st_mode)) return false;
  if (there.st_uid != 0 || open_to_others(there)) return false;
  for (fs::path folder = fs::path(file).parent_path(); is_roots_folder(folder); folder = folder.parent_path()) {
    if (!folder.has_relative_path()) return true;
  }
  return false;
}

// As config::load finds it; empty: there is none.
std::string settings_file(const std::string& home, const std::optional<std::string>& config,
                          const config::Environment& environment) {
  std::optional<std::string> named = config;
  const auto variable = environment.find("SALLYPORT_CONFIG");
  if (!named && variable != environment.end() && !variable->second.empty()) named = variable->second;
  std::error_code error;
  const std::string path = fs::absolute(named ? *named : home + "/sallyport.yaml", error).lexically_normal().string();
  struct stat there{};
  return ::lstat(path.c_str(), &there) == 0 ? path : std::string();
}

// While it lives, what the process opens is opened as `user`.
class EyesOf {
 public:
  explicit EyesOf(RunAs user) : groups_(std::max(0, ::getgroups(0, nullptr))) {
    const int count = ::getgroups(static_cast<int>(groups_.size()), groups_.data());
    groups_.resize(std::max(0, count));
    taken_ = ::setgroups(0, nullptr) == 0 && ::setegid(user.gid) == 0 && ::seteuid(user.uid) == 0;
  }
  ~EyesOf() {
    if (::seteuid(0) != 0 || ::setegid(0) != 0 || ::setgroups(groups_.size(), groups_.data()) != 0) ::_exit(1);
  }
  EyesOf(const EyesOf&) = delete;
  EyesOf& operator=(const EyesOf&) = delete;
  [[nodiscard]] bool taken() const noexcept { return taken_; }

 private:
  std::vector<gid_t> groups_;
  bool taken_ = false;
};

std::string source_of_run_as(const config::Settings& settings) {
  const auto row = std::ranges::find(settings.explained, "sandbox.run_as", &config::Explained::path);
  return row == settings.explained.end() ? "default" : row->source;
}

}  // namespace

Result<config::Settings> load_settings(const std::string& home, const std::optional<std::string>& config,
                                       const config::Environment& environment) {
  if (::geteuid() != 0) return config::load(home, config, environment);
  const std::string file = settings_file(home, config, environment);
  auto whose = owner_of_home(home);
  if (whose) {
    SP_CHECK(check_home(home));
    SP_CHECK(give_home(home, *whose, whose->uid));
  } else if (!file.empty()) {
    whose = author_of(file);
  }
  if (!whose || (!file.empty() && is_roots_own(file))) return config::load(home, config, environment);
  const EyesOf eyes(*whose);
  if (!eyes.taken()) return fail(Code::config, "cannot read the settings as the user that they belong to");
  return config::load(home, config, environment);
}

Result<ServiceUser> service_user(const config::Settings& settings) {
  const std::string& name = settings.sandbox.run_as;
  const std::string source = source_of_run_as(settings);
  const auto owner = owner_of_home(settings.home);
  const bool default_name = source == "default";
  const bool roots_word = source.starts_with("env ") || (!default_name && is_roots_own(settings.config_file));
  if (roots_word || (!owner && default_name)) {
    SP_TRY(const RunAs user, user_of(name));
    return ServiceUser{user, owner ? owner->uid : 0, {}};
  }
  if (!owner) {
    return fail(Code::config, "sandbox.run_as: " + settings.config_file +
                                  " can be written by others than root, and does not choose as whom root goes on; fix: "
                                  "chown root " +
                                  settings.config_file + " and its folder, or set SALLYPORT_SANDBOX_RUN_AS");
  }
  const auto named = user_of(name);
  if (named && named->uid == owner->uid) return ServiceUser{*named, owner->uid, {}};
  return ServiceUser{
      *owner, owner->uid,
      "the home belongs to uid " + std::to_string(owner->uid) + ", which stays its user; " +
          (default_name ? "sandbox.run_as is not set" : "sandbox.run_as (" + source + ") is not root's word") +
          "; fix, to change it: set SALLYPORT_SANDBOX_RUN_AS, or chown -R root: " + settings.home};
}

}  // namespace sallyport::app
