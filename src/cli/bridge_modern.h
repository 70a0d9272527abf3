// Inside cli only: the modern half of the stdio bridge (2026-07-28): each request is a POST of its own, without a session;
// closing its stream is the cancel. On the bridge's thread only.
#pragma once

#include <list>
#include <string>
#include <string_view>

#include "cli/client_lines.h"
#include "cli/client_message.h"
#include "cli/gateway_link.h"
#include "cli/tool_headers.h"
#include "core/task.h"

namespace sallyport::cli {

// So many requests of a connection run at once; the others wait for one to end.
class Slots {
 public:
  static constexpr int kSlots = 256;
  class Hold {
   public:
    explicit Hold(Slots& slots) : slots_(&slots) { --slots_->free_; }
    ~Hold() {
      ++slots_->free_;
      slots_->freed_.cancel_one();
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Slots* slots_;
  };
  explicit Slots(Executor executor) : freed_(executor, SteadyTimer::time_point::max()) {}
  Task<void> wait() {
    while (free_ <= 0) co_await freed_.async_wait(use_task_ec);
  }

 private:
  friend class Hold;
  int free_ = kSlots;
  SteadyTimer freed_;
};

class BridgeModern {
 public:
  static constexpr std::size_t kListensMax = 64;

  BridgeModern(GatewayLink& link, const ClientLines& lines, Executor executor, Slots& slots)
      : link_(link),
        lines_(lines),
        executor_(executor),
        slots_(slots),
        listed_(executor, SteadyTimer::time_point::max()) {}

  // Begins to send a request or notification and returns; what comes back is printed as it comes.
  void start(ClientMessage message);
  // notifications/cancelled: true, and the stream is closed and nothing owed, if a request with that raw id runs.
  bool cancel(std::string_view raw_id);
  // The input ended: listen streams end now, the others as they come.
  Task<void> finish();
  void cancel_all();
  [[nodiscard]] std::size_t size() const noexcept { return running_.size(); }

 private:
  struct Running {
    Running(const ClientLines& lines, ClientMessage m, Executor executor);
    ClientMessage message;
    Owed owed;
    TaskGroup group;  // the one task
  };
  Task<void> run(Running& one);
  // One POST. True: -32020, so another list of tools might help; nothing was printed.
  Task<bool> ask(Running& one, bool may_retry);
  Task<bool> refused(Running& one, net::EgressStream& stream, bool may_retry);
  void take(Running& one, std::string_view text);
  // tools/list, all pages; all who ask at once wait for the same one.
  Task<void> list_tools(const ClientMessage& message);
  Task<std::string> list_page(const ClientMessage& message, const std::optional<std::string>& cursor);
  void reap();

  GatewayLink& link_;
  const ClientLines& lines_;
  Executor executor_;
  Slots& slots_;
  ToolHeaders tools_;
  SteadyTimer listed_;
  bool listing_ = false;
  std::list<Running> running_;
};

}  // namespace sallyport::cli
