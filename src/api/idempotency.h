// What was asked with an Idempotency-Key, so that a repeated POST is answered and not done again
// (draft-ietf-httpapi-idempotency-key-header). In memory: a restart forgets. 4,096 keys, a day each; the oldest goes first.
// Any thread.
#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/result.h"
#include "model/rest.h"

namespace sallyport::api {

class Idempotency {
 public:
  static constexpr std::size_t kEntriesMax = 4096;
  static constexpr std::size_t kAnswerBytesMax = 16 * 1024;
  static constexpr std::chrono::hours kAge{24};

  // The answer of the first request with this key; nothing: this is the first, and end() must follow. `who` and `request` (a
  // digest of method, path and body) tell requests apart. Code::conflict: the first is still running, its answer was not
  // kept (too long, it held a secret, or the request was cut off), or the key came with another request.
  Result<std::optional<RestAnswer>> begin(const std::string& who, const std::string& key, const std::string& request,
                                          WallTime now);
  // A refusal (4xx, 5xx) is forgotten: the next one may try. Nothing: the request was cut off, and may have done its work.
  void end(const std::string& who, const std::string& key, const std::optional<RestAnswer>& answer);

 private:
  struct Entry {
    std::string name;
    std::string request;
    WallTime at;
    bool running = true;
    std::optional<RestAnswer> answer;
  };
  void drop_old(WallTime now);

  std::mutex mutex_;
  std::list<Entry> entries_;  // oldest first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_name_;
};

}  // namespace sallyport::api
