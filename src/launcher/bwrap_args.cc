#include "launcher/bwrap_args.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>


namespace sallyport::launcher {
namespace {

class Args {
 public:
  template <class... T>
  void add(T&&... parts) {
    (list_.emplace_back(std::forward<T>(parts)), ...);
  }
  std::vector<std::string> take() { return std::move(list_); }

 private:
  std::vector<std::string> list_;
};

void add_system(Args& args) {
  args.add("--ro-bind", "/usr", "/usr");
  for (const std::string& folder : system_folders()) {
    char target[PATH_MAX];
    const ssize_t size = ::readlink(folder.c_str(), target, sizeof target);
    if (size > 0) {
      args.add("--symlink", std::string(target, static_cast<std::size_t>(size)), folder);
    } else if (folder != "/usr") {
      args.add("--ro-bind-try", folder, folder);
    }
  }
}

void add_places(Args& args, const LaunchSpec& spec) {
  const std::string tmp_bytes = std::to_string(std::clamp<std::uint64_t>(spec.limits.file_bytes_max, 1U << 20, 1U << 28));
  args.add("--proc", "/proc", "--dev", "/dev");
  args.add("--size", tmp_bytes, "--perms", "1777", "--tmpfs", "/dev/shm");
  args.add("--size", tmp_bytes, "--perms", "1777", "--tmpfs", "/tmp");
}

// Outer folders first, so that an inner one with another mode is not covered; of equals the writable one wins.
std::vector<Shown> in_order(std::vector<Shown> shown) {
  std::ranges::sort(shown, [](const Shown& a, const Shown& b) {
    return a.at.size() != b.at.size() ? a.at.size() < b.at.size() : a.writable < b.writable;
  });
  return shown;
}

void add_environment(Args& args, const LaunchSpec& spec) {
  args.add("--clearenv", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "HOME", "/tmp", "--setenv", "LANG",
           "C.UTF-8");
  for (const auto& [name, value] : spec.env) args.add("--setenv", name, std::string(value.reveal()));
}

}  // namespace

std::vector<std::string> bwrap_args(const LaunchSpec& spec, const View& view, BwrapFds fds) {
  Args args;
  // User namespace first and said explicitly: a setuid bubblewrap would go without.
  args.add("--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try");
  if (!spec.network) args.add("--unshare-net");
  args.add("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sallyport");
  add_system(args);
  for (const std::string& entry : etc_entries(spec.network)) args.add("--ro-bind-try", entry, entry);
  args.add("--ro-bind-data", std::to_string(fds.passwd), "/etc/passwd");
  add_places(args, spec);
  for (Shown& shown : in_order(view.shown)) {
    args.add(shown.writable ? "--bind" : "--ro-bind", std::move(shown.from), std::move(shown.at));
  }
  args.add("--remount-ro", "/dev", "--remount-ro", "/");  // they are in memory too, and would be without a limit
  args.add("--chdir", view.working_directory.empty() ? std::string("/tmp") : view.working_directory);
  add_environment(args, spec);
  args.add("--seccomp", std::to_string(fds.seccomp));
  return args.take();
}

std::string minimal_passwd(unsigned uid, unsigned gid) {
  return "server:x:" + std::to_string(uid) + ":" + std::to_string(gid) + "::/tmp:/usr/sbin/nologin\n";
}

}  // namespace sallyport::launcher
