// What a tool server asked a legacy client and the client has not answered yet (sampling, elicitation, roots: MCP to
// 2025-11-25). The table is the session's and stays on its home worker; who waits may run on any worker.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/task.h"

namespace sallyport::mcp {

struct Answer {
  bool is_error = false;
  std::string body;  // raw result or error object
};

class PendingAsk {
 public:
  explicit PendingAsk(Executor executor) : executor_(executor), done_(executor, SteadyTimer::time_point::max()) {}

  // On the executor given. Nothing when the wait was cancelled.
  Task<std::optional<Answer>> wait();
  // Any thread.
  static void answer(const std::shared_ptr<PendingAsk>& ask, Answer answer);

 private:
  Executor executor_;
  SteadyTimer done_;
  std::optional<Answer> answer_;
};
using PendingAskPtr = std::shared_ptr<PendingAsk>;

inline constexpr std::size_t kAsksMax = 64;  // of one session

// By the raw id of the request that the client got.
class AskTable {
 public:
  // False: too many wait already.
  bool put(std::string id, PendingAskPtr ask);
  void erase(std::string_view id);
  // The answer goes to who asked, once; false: nobody did (a stranger's id, a second answer).
  bool answer(std::string_view id, Answer answer);

 private:
  std::map<std::string, PendingAskPtr, std::less<>> asks_;
};

}  // namespace sallyport::mcp
