// Keeps one session's subscriptions in step with what is wanted: on a modern server one subscriptions/listen stream,
// opened again when it breaks, and when the wish changes replaced without a gap: the old one goes when the server
// acknowledged the new; on a legacy one resources/subscribe and unsubscribe for the difference, while list_changed comes
// by itself. What it hears goes to the session's unsolicited listener in the legacy form, whatever the era. Failures are
// logged and tried again after a rest; they never end the session. One worker.
#pragma once

#include <list>
#include <memory>
#include <set>
#include <string>

#include "core/task.h"
#include "request/upstream/deps.h"
#include "request/upstream/interest.h"
#include "request/upstream/link.h"

namespace sallyport::upstream {

class Watch final {
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
  // Until the server acknowledged what was wanted when this was called, or refused it, or `until` has passed.
  Task<void> settle(SteadyTime until);
  void stop();
  Task<void> join();  // after stop()

 private:
  // One listen stream.
  struct Listening final : CallEvents {
    Listening(Watch& w, std::uint64_t i, std::uint64_t v) : watch(w), id(i), version(v) {}
    void progress(std::string_view) override {}
    void notification(std::string_view method, std::string_view params) override { watch.heard(*this, method, params); }
    void end() {
      is_over = true;
      signal.emit(asio::cancellation_type::terminal);
    }
    Watch& watch;
    const std::uint64_t id;
    const std::uint64_t version;  // of the wish that it serves
    bool acknowledged = false;
    bool is_over = false;  // nothing of it is heard any more
    bool is_done = false;  // nothing of it is to be done until the wish changes: the server offers no such stream
    asio::cancellation_signal signal;
  };
  using ListeningPtr = std::shared_ptr<Listening>;

  void heard(Listening& stream, std::string_view method, std::string_view params);
  void touch();
  Task<void> run();
  Task<bool> listen();
  Task<void> hold(ListeningPtr stream, Outgoing message, std::shared_ptr<Connection> connection);
  void end_streams();
  void end_previous();
  void settled(std::uint64_t version);
  bool is_final(const Result<Reply>& reply);
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
  std::uint64_t settled_ = 0;  // the last one that the server knows, or refused
  std::list<SteadyTimer*> waiting_;  // of settle()
  ListeningPtr listening_;
  ListeningPtr previous_;  // heard until the server acknowledged the other
  std::set<std::string> subscribed_;  // legacy: what the server was told
  std::uint64_t subscribed_at_ = 0;  // in which handshake
  bool running_ = false;
  bool stopped_ = false;
};

}  // namespace sallyport::upstream
