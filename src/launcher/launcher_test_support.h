// Real processes for the launcher's tests: a worker's io_context, a running Launcher, bounded waits, looks at /proc.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/task.h"
#include "launcher/launcher.h"

namespace sallyport::launcher::testing {

inline constexpr std::chrono::seconds kDeadline{20};

// Options for tests: as root, servers run as nobody.
Options test_options(Sandbox sandbox = Sandbox::prefer);

// Runs `task` to its end on `context`, at most kDeadline.
template <class T>
std::optional<T> run(asio::io_context& context, Task<T> task) {
  std::optional<T> result;
  asio::co_spawn(
      context,
      [](Task<T> inner, std::optional<T>& out) -> Task<void> { out.emplace(co_await std::move(inner)); }(std::move(task), result),
      [](const std::exception_ptr& error) { EXPECT_EQ(error, nullptr); });
  context.restart();
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  while (!result && context.run_one_until(until) != 0) continue;
  return result;
}

// Reads `fd` until end of file or until `enough` says so, at most kDeadline.
std::string read_until(int fd, const std::function<bool(const std::string&)>& enough = {});
void write_all(int fd, const std::string& text);

// The ids of living processes whose command line holds `text`.
std::vector<int> processes_with(const std::string& text);
bool becomes_true(const std::function<bool()>& condition);
std::size_t open_descriptors();

// /bin/sh -c `script`: a test's way to look around in the confinement. The product never makes a shell line.
LaunchSpec shell(const std::string& script);

struct Outcome {
  std::string out;
  std::string err;
  ExitStatus status;
};
// Starts, closes stdin, reads all, waits.
Outcome run_to_end(Launcher& launcher, LaunchSpec spec);

}  // namespace sallyport::launcher::testing
