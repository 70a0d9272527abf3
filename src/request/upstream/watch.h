// Keeps one session's subscriptions in step with what is wanted: on a modern server one subscriptions/listen stream,
// opened again when the wish changes or it breaks; on a legacy one resources/subscribe and unsubscribe for the
// difference, while list_changed comes by itself. What it hears goes to the session's unsolicited listener in the legacy
// form, whatever the era. Failures are logged and tried again after a rest; they never end the session. One worker.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "core/task.h"
#include "request/upstream/deps.h"
#include "request/upstream/interest.h"
#include "request/upstream/link.h"

namespace sallyport::upstream {

class Watch final : private CallEvents {
 public:
  using Caller = std::function<Task<Result<Reply>>(Call)>;  // one call on the session

  Watch(Executor executor, const Deps& deps, const Settings& settings, Link& link, ServerPtr server,
        Unsolicited unsolicited, Caller call);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void want(Interest interest);
  // The session shook hands again: a legacy server has forgotten what we subscribed to.
  void renewed();
  [[nodiscard]] bool idle() const noexcept { return wanted_.empty(); }
  void stop();
  Task<void> join();  // after stop()

 private:
  struct Listening {
    std::uint64_t id = 0;
    bool acknowledged = false;
    asio::cancellation_signal signal;
  };

  void progress(std::string_view) override {}
  void notification(std::string_view method, std::string_view params) override;
  void touch();
  Task<void> run();
  Task<bool> listen();
  bool settled(const Result<Reply>& reply);
  Task<bool> subscribe();
  Task<bool> ask_for(std::string_view method, std::string uri);
  [[nodiscard]] bool is_wanted(std::string_view method, std::string_view params) const;

  Executor executor_;
  const Deps& deps_;
  const Settings& settings_;
  Link& link_;
  ServerPtr server_;
  Unsolicited unsolicited_;
  Caller call_;
  TaskGroup tasks_;
  SteadyTimer timer_;
  Interest wanted_;
  std::uint64_t version_ = 0;  // grows with every wish and every new handshake
  std::unique_ptr<Listening> listening_;
  std::set<std::string> subscribed_;  // legacy: what the server was told
  std::uint64_t subscribed_at_ = 0;  // in which handshake
  bool running_ = false;
  bool stopped_ = false;
};

}  // namespace sallyport::upstream
