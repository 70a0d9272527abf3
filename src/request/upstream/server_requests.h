// What a legacy server asks of us: ping, and inside a call what its record forwards to the client behind it. Several
// requests may wait at once while the connection reads on; all of them end with their call, and nothing is said for them
// afterwards (MCP, Cancellation). One worker; a CallRequests lives in the frame of its call.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "core/task.h"
#include "model/server.h"
#include "request/upstream/call.h"

namespace sallyport::upstream {

struct Asked {
  std::string raw_id, method, params;
};

// Whether `forwards` of the record covers this method of the server: elicitation/create, sampling/createMessage,
// roots/list; false for any other.
bool forwards(const ServerRecord& server, std::string_view method);
// The answer to a request that belongs to no call: ping; no roots where roots were declared; else -32601.
Reply answer_outside(const ServerRecord& server, std::string_view method);

class CallRequests {
 public:
  using Send = std::function<void(std::string message)>;  // one finished message to the server

  static constexpr std::size_t kWaitingMax = 64;
  static constexpr std::size_t kBytesMax =
      4U << 20;  // of the params of all that wait: they are held until somebody answers

  // `events` may be null: then nobody can be asked. What is referred to outlives end().
  CallRequests(Executor executor, const ServerRecord& server, CallEvents* events, Send send)
      : executor_(executor), server_(server), events_(events), send_(std::move(send)) {}

  // Answers at once, or asks the client and answers when its word comes. A second request under an id that still waits
  // is dropped.
  void ask(Asked asked);
  // The server takes its request back.
  void cancel(std::string_view raw_id);
  // Whether end() has anything to wait for. Without it a cancelled caller need not await anything.
  [[nodiscard]] bool any() const noexcept { return !waiting_.empty(); }
  // The call is over: what waits is cancelled; nothing of it runs when this returns. The caller has set
  // throw_if_cancelled(false).
  Task<void> end();

 private:
  struct One {
    One(Executor executor, std::string id, std::size_t size)
        : raw_id(std::move(id)), bytes(size), tasks(executor, [](const char*) {}) {}
    const std::string raw_id;
    const std::size_t bytes;
    bool dropped = false;
    TaskGroup tasks;
  };

  Task<void> forward(One& one, std::string method, std::string params);
  void answer(const One& one, const Reply& reply);

  Executor executor_;
  const ServerRecord& server_;
  CallEvents* events_;
  Send send_;
  std::list<std::unique_ptr<One>> waiting_;
  bool ended_ = false;
};

}  // namespace sallyport::upstream
