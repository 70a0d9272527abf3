// What was asked with an Idempotency-Key, so that a repeated POST is answered and not done again
// (draft-ietf-httpapi-idempotency-key-header). In memory: a restart forgets. A day each; of one caller 256 keys, the oldest
// goes first, and 1 MiB of answers; 4,096 keys and 16 MiB in all, at the cost of whoever has most. A key whose answer had
// to go stays used. Any thread.
#pragma once

#include <chrono>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/result.h"
#include "model/rest.h"

namespace sallyport::api {

class Idempotency {
 public:
  static constexpr std::size_t kEntriesMax = 4096;
  static constexpr std::size_t kCallerEntriesMax = 256;
  static constexpr std::size_t kAnswerBytesMax = 16 * 1024;
  static constexpr std::size_t kBytesMax = 16 * 1024 * 1024;  // of answers' bodies
  static constexpr std::size_t kCallerBytesMax = 1024 * 1024;
  static constexpr std::chrono::hours kAge{24};

  // The answer of the first request with this key; nothing: this is the first, and end() must follow. `who` and `request` (a
  // digest of method, path and body) tell requests apart. Code::conflict: the first is still running, its answer was not
  // kept (too long, it held a secret, too many others, or the request was cut off), or the key came with another request.
  // Code::rate_limited: the caller's whole share is running.
  Result<std::optional<RestAnswer>> begin(const std::string& who, const std::string& key, const std::string& request,
                                          WallTime now);
  // A refusal (4xx, 5xx) is forgotten, unless it was carried out: the next one may try. Nothing: the request was cut off, and
  // may have done its work.
  void end(const std::string& who, const std::string& key, const std::optional<RestAnswer>& answer);

 private:
  struct Entry {
    std::string key;
    std::string request;
    WallTime at;
    bool running = true;
    std::optional<RestAnswer> answer;
  };
  struct Caller {
    std::list<Entry> entries;  // oldest first
    std::size_t bytes = 0;  // of their answers
  };
  using Callers = std::map<std::string, Caller>;

  void drop_answer(Caller& caller, Entry& entry);
  void drop_answers(Caller& caller, std::size_t bytes_max);
  void forget(Caller& caller, std::list<Entry>::iterator entry);
  bool forget_oldest(Caller& caller);
  void forget_old(WallTime now);
  bool make_room(Caller& caller, WallTime now);

  std::mutex mutex_;
  Callers callers_;  // none without entries, between calls
  std::size_t entries_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace sallyport::api
