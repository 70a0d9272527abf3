// How each server is spoken to, as its last opening found out, with the date: the era belongs to the server, so one
// worker's finding serves all (mcp-spec.md, 3). Only that is kept, never a DiscoverResult: what a server offers is one
// principal's. Owned by the composition root; any thread.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "model/server.h"

namespace sallyport::upstream {

enum class Speech : std::uint8_t {
  modern,      // 2026-07-28
  legacy,      // initialize, over stdio or Streamable HTTP
  legacy_sse,  // initialize, over HTTP+SSE of 2024-11-05
};

class EraCache {
 public:
  struct Verdict {
    Speech speech = Speech::legacy;
    WallTime since{};
  };

  // A legacy verdict holds for `legacy_for`: a server that was upgraded meanwhile is found out then at the latest. A
  // modern one holds until it is contradicted, since a wrong one fails at once.
  explicit EraCache(const Clock& clock, std::chrono::milliseconds legacy_for = std::chrono::hours{24})
      : clock_(clock), legacy_for_(legacy_for) {}

  // Nothing where it was never opened, the record now starts another program or names another URL, or the verdict is
  // out of date.
  std::optional<Verdict> of(const ServerRecord& server) {
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(server.name);
    if (found == all_.end() || found->second.place != place(server)) return std::nullopt;
    if (found->second.until < clock_.steady()) return std::nullopt;
    return found->second.verdict;
  }
  // An old verdict that says the same keeps its date, so that it runs out.
  void learn(const ServerRecord& server, Speech speech) {
    if (const auto known = of(server); known && known->speech == speech) return;
    const SteadyTime until = speech == Speech::modern ? SteadyTime::max() : clock_.steady() + legacy_for_;
    const std::lock_guard lock(mutex_);
    all_.insert_or_assign(server.name, Entry{place(server), {speech, clock_.wall()}, until});
  }
  void forget(std::string_view server) {
    const std::lock_guard lock(mutex_);
    if (const auto found = all_.find(server); found != all_.end()) all_.erase(found);
  }

 private:
  struct Entry {
    std::string place;
    Verdict verdict;
    SteadyTime until;
  };
  static std::string place(const ServerRecord& server) {
    if (server.transport == Transport::http) return server.url;
    std::string out;
    for (const auto& word : server.command) out.append(word).append(1, '\0');
    return out;
  }

  const Clock& clock_;
  std::chrono::milliseconds legacy_for_;
  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> all_;
};

}  // namespace sallyport::upstream
