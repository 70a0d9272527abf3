#include "app/privileges.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>

#include "launcher/fd.h"

namespace sallyport::app {

namespace fs = std::filesystem;

Result<RunAs> user_of(const std::string& name) {
  errno = 0;
  const passwd* entry = getpwnam(name.c_str());  // NOLINT(concurrency-mt-unsafe): one thread at the start
  if (entry == nullptr || entry->pw_uid == 0) {
    return fail(Code::config, "started by root, but there is no unprivileged user \"" + name +
                                  "\" to run as; fix: useradd --system --no-create-home " + name +
                                  ", or set sandbox.run_as");
  }
  return RunAs{entry->pw_uid, entry->pw_gid};
}

namespace {

constexpr int kDepthMax = 16;

// By descriptors, one name at a time: the service user may write here, and root must not be led outside by a link, be it
// planted before (symbolic, hard) or put in the way of this walk.
struct Giving {
  RunAs to;
  uid_t owner;
  [[nodiscard]] bool covers(uid_t uid) const noexcept { return uid == to.uid || uid == owner || uid == 0; }
};

bool give_below(int folder, const Giving& giving, int depth);

bool give(int folder, const char* name, const Giving& giving, int depth) {
  const RunAs to = giving.to;
  const launcher::Fd inner(openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const launcher::Fd entry(inner ? -1 : openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  const int fd = inner ? inner.get() : entry.get();
  struct stat found {};
  if (fd < 0 || fstat(fd, &found) != 0) return errno == ENOENT;  // gone meanwhile
  if (S_ISLNK(found.st_mode) || !giving.covers(found.st_uid)) return true;
  if (found.st_uid != to.uid && !S_ISDIR(found.st_mode) && found.st_nlink > 1) return false;  // whose it is shows elsewhere
  if (found.st_uid != to.uid && fchownat(fd, "", to.uid, to.gid, AT_EMPTY_PATH) != 0) return false;
  return !inner || depth == 0 || give_below(inner.get(), giving, depth - 1);
}

bool give_below(int folder, const Giving& giving, int depth) {
  const std::unique_ptr<DIR, int (*)(DIR*)> list(fdopendir(fcntl(folder, F_DUPFD_CLOEXEC, 0)), closedir);
  if (!list) return false;
  while (const dirent* next = readdir(list.get())) {  // NOLINT(concurrency-mt-unsafe): one thread at the start
    const std::string_view text = next->d_name;
    if (text != "." && text != ".." && !give(folder, next->d_name, giving, depth)) return false;
  }
  return true;
}

// Nothing but what a restore leaves when it is cut, and the backups: it is done once more, or finished.
bool is_cut_restore(const std::string& home) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(home, error)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name == "lock" || name == "backups" || name == "restore.pending" || name.starts_with(".restore-") ||
                      name.starts_with("before-restore-");
    if (!ours) return false;
  }
  return !error;
}

bool may_be_home(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder, error) || fs::is_empty(folder, error)) return true;
  if (fs::exists(folder + "/sallyport.yaml", error) || fs::exists(folder + "/keys", error)) return true;
  return fs::is_directory(folder, error) && is_cut_restore(folder);
}

}  // namespace

Result<void> check_home(const std::string& home) {
  if (may_be_home(home)) return {};
  return fail(Code::config, home + " holds other things and no sallyport.yaml; fix: name a folder of Sallyport's own with --home");
}

Result<void> give_home(const std::string& home, RunAs to, uid_t owner) {
  std::error_code error;
  const std::string real = fs::canonical(home, error);  // the home itself may be named through links: the operator did
  const launcher::Fd folder(error ? -1 : ::open(real.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat found{};
  if (folder && fstat(folder.get(), &found) == 0) {
    const bool same = found.st_uid == owner || found.st_uid == to.uid;
    if (!same || !may_be_home("/proc/self/fd/" + std::to_string(folder.get()))) {
      return fail(Code::config, home +
                                    " was another folder a moment ago; fix: a home below folders that nobody but root "
                                    "and its owner may write to");
    }
    const bool given = found.st_uid == to.uid || fchown(folder.get(), to.uid, to.gid) == 0;
    if (given && give_below(folder.get(), {to, owner}, kDepthMax - 1)) return {};
  }
  return fail(Code::config, "cannot hand what is in " + home + " to the service user; fix: look there for a file that has "
                            "another name elsewhere (find -links +1)");
}

Result<void> drop_to(RunAs to, const std::string& home) {
  if (setgroups(0, nullptr) != 0 || setresgid(to.gid, to.gid, to.gid) != 0 || setresuid(to.uid, to.uid, to.uid) != 0) {
    return fail(Code::config, "cannot give up root");
  }
  if (setuid(0) == 0) return fail(Code::config, "root could be taken back");
  if (access(home.c_str(), R_OK | W_OK | X_OK) != 0) {
    return fail(Code::config, "the service user cannot reach " + home + "; fix: a home below folders that others may enter, "
                              "such as --home /var/lib/sallyport");
  }
  return {};
}

Result<void> keep_memory_private() {
  // Before the files of /proc are root's, and once is enough: where it cannot be opened it was written, or no core is made anyway.
  std::ofstream("/proc/self/coredump_filter") << "0";
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0) return {};
  return fail(Code::config, "core files and looks into memory could not be forbidden");
}

Result<void> become_owner(const std::string& home) {
  struct stat found {};
  if (geteuid() != 0 || lstat(home.c_str(), &found) != 0 || found.st_uid == 0) return {};
  return drop_to({found.st_uid, found.st_gid}, home);
}

}  // namespace sallyport::app
