// A worker for the tests of this module: an io_context on this thread, a real launcher, records of a rogue server.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "launcher/launcher.h"
#include "net/egress_client.h"
#include "request/upstream/breakers.h"
#include "request/upstream/era_cache.h"
#include "request/upstream/recorder_test_support.h"
#include "request/upstream/upstreams.h"

namespace sallyport::upstream::testing {

inline constexpr std::chrono::seconds kPatience{20};

// Runs `task` to its end on `context`; a task that hangs fails the test instead of hanging it.
template <class T>
T run(asio::io_context& context, Task<T> task) {
  std::optional<T> out;
  asio::co_spawn(
      context,
      [](Task<T> inner, std::optional<T>& to) -> Task<void> { to.emplace(co_await std::move(inner)); }(std::move(task),
                                                                                                       out),
      [](const std::exception_ptr& error) { EXPECT_EQ(error, nullptr); });
  context.restart();
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!out && context.run_one_until(until) != 0) continue;
  if (!out) throw std::runtime_error("the task did not end");
  return std::move(*out);
}

inline void run(asio::io_context& context, Task<void> task) {
  run<bool>(context, [](Task<void> inner) -> Task<bool> {
    co_await std::move(inner);
    co_return true;
  }(std::move(task)));
}

// TaskGroup::cancel belongs on the executor's thread: outside of it Asio posts the cancellation, past the task's end.
inline void cancel(asio::io_context& context, TaskGroup& group) {
  run(context, [](TaskGroup& g) -> Task<void> {
    g.cancel();
    co_await g.join();
  }(group));
}

// Runs handlers until `condition` holds.
template <class Condition>
bool becomes_true(asio::io_context& context, Condition condition) {
  context.restart();
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!condition())
    if (context.run_one_until(until) == 0) return condition();
  return true;
}

inline Settings quick_settings() {
  Settings settings;
  settings.sweep_every = std::chrono::milliseconds{5};
  settings.stop_grace = std::chrono::milliseconds{300};
  settings.backoff_min = std::chrono::milliseconds{50};
  return settings;
}

// Everything that Upstreams needs, with real processes and loopback HTTP.
class Worker {
 public:
  explicit Worker(Settings settings = quick_settings());
  ~Worker();

  ServerPtr stdio(std::string mode = "plain", std::string name = "rogue");
  ServerPtr modern(std::string mode = "plain", std::string name = "modern");
  ServerPtr http(std::string url, std::string name = "remote");
  SessionPtr open(const ServerPtr& server, std::string principal = "user:1");
  Result<SessionPtr> try_open(const ServerPtr& server, std::string principal = "user:1") {
    return run(context, upstreams.session(server, std::move(principal)));
  }
  Result<Reply> call(Session& session, std::string tool, std::string arguments = "{}", CallEvents* events = nullptr,
                     std::chrono::milliseconds timeout = std::chrono::seconds{15});
  [[nodiscard]] Call make_call(std::string tool, std::string arguments = "{}",
                               std::chrono::milliseconds timeout = std::chrono::seconds{15}) const;
  // Runs what is ready and what comes within `time`: to see that nothing more comes.
  void linger(std::chrono::milliseconds time);
  [[nodiscard]] bool logged(std::string_view event, std::string_view text = {}) const;

  asio::io_context context;
  SystemClock clock;
  SystemRandom random;
  Breakers breakers;
  EraCache eras{clock};
  std::vector<std::pair<std::string, std::string>> log;  // event, text
  std::vector<std::string> notices;                      // "server|principal|method|params"
  net::DeadlineSweep sweep;
  net::EgressClient egress;
  Upstreams upstreams;
};

// The text of the first content block.
std::string text_of(const Result<Reply>& reply);
std::string error_of(const Result<Reply>& reply);  // "code: detail" or ""

}  // namespace sallyport::upstream::testing
