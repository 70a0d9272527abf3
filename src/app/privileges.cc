#include "app/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

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

// Only what lies inside the home, never through a link.
Result<void> give_home(const std::string& home, RunAs to) {
  std::error_code error;
  if (lchown(home.c_str(), to.uid, to.gid) != 0) return fail(Code::config, "cannot hand " + home + " to the service user");
  for (auto it = fs::recursive_directory_iterator(home, error); !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (lchown(it->path().c_str(), to.uid, to.gid) != 0) {
      return fail(Code::config, "cannot hand " + it->path().string() + " to the service user");
    }
  }
  return {};
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

Result<void> become_owner(const std::string& home) {
  struct stat found {};
  if (geteuid() != 0 || lstat(home.c_str(), &found) != 0 || found.st_uid == 0) return {};
  return drop_to({found.st_uid, found.st_gid}, home);
}

}  // namespace sallyport::app
