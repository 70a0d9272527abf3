#include "launcher/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "launcher/fd.h"

namespace sallyport::launcher {
namespace {

// The kernel's own names (linux/landlock.h); said here because the build machine's header may be older than the kernel.
struct RulesetAttr {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};
struct [[gnu::packed]] PathAttr {
  std::uint64_t allowed_access;
  std::int32_t parent_fd;
};

constexpr std::uint64_t kExecute = 1U << 0;
constexpr std::uint64_t kWriteFile = 1U << 1;
constexpr std::uint64_t kReadFile = 1U << 2;
constexpr std::uint64_t kReadDir = 1U << 3;
constexpr std::uint64_t kTruncate = 1U << 14;
constexpr std::uint64_t kIoctlDev = 1U << 15;
constexpr std::uint64_t kRead = kExecute | kReadFile | kReadDir;
constexpr std::uint64_t kFileRights = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDev;
constexpr int kRuleVersion = 1;  // LANDLOCK_CREATE_RULESET_VERSION
constexpr int kPathBeneath = 1;  // LANDLOCK_RULE_PATH_BENEATH

std::uint64_t file_rights(int version) {
  std::uint64_t rights = (1U << 13) - 1;
  if (version >= 2) rights |= 1U << 13;  // REFER
  if (version >= 3) rights |= kTruncate;
  if (version >= 5) rights |= kIoctlDev;
  return rights;
}

class Ruleset {
 public:
  Ruleset(int version, bool network) : handled_(file_rights(version)) {
    RulesetAttr attr{handled_, 0, 0};
    std::size_t size = sizeof(std::uint64_t);
    if (version >= 4) {
      attr.handled_access_net = network ? 0 : 3;  // bind and connect over TCP
      size = 2 * sizeof(std::uint64_t);
    }
    if (version >= 6) {
      attr.scoped = 3;  // abstract sockets and signals stay inside
      size = sizeof attr;
    }
    fd_.reset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attr, size, 0)));
  }

  // A path that does not exist needs no rule.
  void allow(const std::string& path, std::uint64_t rights) {
    const Fd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
    struct stat info {};
    if (!place || ::fstat(place.get(), &info) != 0) return;
    PathAttr rule{rights & handled_, place.get()};
    if (!S_ISDIR(info.st_mode)) rule.allowed_access &= kFileRights;
    ::syscall(SYS_landlock_add_rule, fd_.get(), kPathBeneath, &rule, 0);
  }

  Result<void> enforce() {
    if (!fd_ || ::syscall(SYS_landlock_restrict_self, fd_.get(), 0) != 0) return fail(Code::io, "Landlock refused");
    return {};
  }

 private:
  std::uint64_t handled_;
  Fd fd_;
};

}  // namespace

int landlock_version() noexcept {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kRuleVersion);
  return version > 0 ? static_cast<int>(version) : 0;
}

Result<void> landlock_self(const View& view, const std::string& private_folder, bool network) {
  const int version = landlock_version();
  if (version == 0) return fail(Code::io, "no Landlock");
  Ruleset rules(version, network);
  for (const std::string& folder : system_folders()) rules.allow(folder, kRead);
  for (const std::string& entry : etc_entries(network)) rules.allow(entry, kRead);
  rules.allow("/etc/passwd", kRead);
  // Other processes' environ and memory stay shut: Landlock forbids ptrace-like access out of its domain.
  rules.allow("/proc", kReadFile | kReadDir);
  rules.allow("/sys/devices/system/cpu", kReadFile | kReadDir);
  for (const char* device : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"}) {
    rules.allow(device, kReadFile | kWriteFile | kTruncate | kIoctlDev);
  }
  for (const Shown& shown : view.shown) rules.allow(shown.from, shown.writable ? ~std::uint64_t{0} : kRead);
  rules.allow(private_folder, ~std::uint64_t{0});
  return rules.enforce();
}

}  // namespace sallyport::launcher
