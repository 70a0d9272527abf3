// The bodies of launcher_test_support.h (compiled with the tests, not into the library).
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "launcher/launcher_test_support.h"

namespace sallyport::launcher::testing {

Options test_options(Sandbox sandbox) {
  Options options;
  options.sandbox = sandbox;
  if (::geteuid() == 0) options.run_as_uid = options.run_as_gid = 65534;
  return options;
}

std::string read_until(int fd, const std::function<bool(const std::string&)>& enough) {
  std::string text;
  char block[65536];
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  while (std::chrono::steady_clock::now() < until && !(enough && enough(text))) {
    pollfd readable{fd, POLLIN, 0};
    if (::poll(&readable, 1, 1000) <= 0) continue;
    const ssize_t got = ::read(fd, block, sizeof block);
    if (got == 0) return text;
    if (got > 0) text.append(block, static_cast<std::size_t>(got));
  }
  return text;
}

void write_all(int fd, const std::string& text) {
  ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

std::vector<int> processes_with(const std::string& text) {
  std::vector<int> found;
  DIR* proc = ::opendir("/proc");
  while (const dirent* entry = ::readdir(proc)) {
    const int pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    std::ifstream file("/proc/" + std::string(entry->d_name) + "/cmdline", std::ios::binary);
    std::ostringstream read;  // by operator<<: a process that goes meanwhile is a failed read, not an exception
    read << file.rdbuf();
    const std::string line = read.str();
    if (line.find(text) != std::string::npos) found.push_back(pid);
  }
  ::closedir(proc);
  return found;
}

bool becomes_true(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    ::poll(nullptr, 0, 2);
  }
  return condition();
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

LaunchSpec shell(const std::string& script) {
  LaunchSpec spec;
  spec.label = "test";
  spec.argv = {"/bin/sh", "-c", script};
  return spec;
}

Outcome run_to_end(Launcher& launcher, LaunchSpec spec) {
  asio::io_context context;
  Outcome outcome;
  auto child = run(context, launcher.start(std::move(spec)));
  EXPECT_TRUE(child && *child) << (child ? child->error().detail : "no answer");
  if (!child || !*child) return outcome;
  (*child)->in.reset();
  outcome.out = read_until((*child)->out.get());
  outcome.err = read_until((*child)->err.get());
  auto status = run(context, (*child)->wait());
  EXPECT_TRUE(status && *status);
  if (status && *status) outcome.status = **status;
  return outcome;
}

}  // namespace sallyport::launcher::testing
