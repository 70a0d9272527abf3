// The way from a session to its server: finds out which era the server speaks (server/discover, then initialize, then
// HTTP+SSE; mcp-spec.md, 2.1 and 3), keeps the connection that serves it, and finds out again when the server
// contradicts. The verdict goes to EraCache; never from 401, 403, 5xx, time-outs or a network that is down. One worker;
// owned by its Session.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/task.h"
#include "model/server.h"
#include "request/upstream/connections.h"
#include "request/upstream/deps.h"
#include "request/upstream/era_cache.h"
#include "request/upstream/settings.h"

namespace sallyport::upstream {

class Link {
 public:
  Link(Executor executor, const Deps& deps, const Settings& settings, ServerPtr server, ConnectionFactory make);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link();

  // Connects and shakes hands; once. Errors: those of Connection::open and request; upstream_refused (initialize was
  // refused), upstream_protocol (no revision in common).
  Task<Result<void>> open(SteadyTime deadline);
  // After a contradiction, or where the server forgot the session: shakes hands again, over another connection where the
  // era changed. Callers share one renewal; `seen` is handshakes() before the call that failed. It goes on when its
  // caller is cancelled.
  Task<Result<void>> renew(std::uint64_t seen, SteadyTime deadline);

  // Held by whoever awaits on it: renew() may put another in its place. Null: no handshake holds, renew() first.
  [[nodiscard]] std::shared_ptr<Connection> connection() const { return ready_ ? connection_ : nullptr; }
  [[nodiscard]] const ServerInfo& info() const noexcept { return info_; }
  [[nodiscard]] bool modern() const noexcept { return is_modern(info_.revision); }
  [[nodiscard]] std::uint64_t mint_id() noexcept { return next_id_++; }
  [[nodiscard]] std::uint64_t handshakes() const noexcept { return handshakes_; }
  [[nodiscard]] bool alive() const noexcept { return !end_ && connection_ && connection_->alive(); }
  [[nodiscard]] bool failed() const noexcept { return connection_ && connection_->failed(); }
  [[nodiscard]] bool stateless() const noexcept { return connection_ && connection_->stateless(); }

  void expire(SteadyTime now);
  void abandon(const Error& why);
  Task<void> close();

 private:
  // What came back for one handshake message.
  struct Word {
    Result<Reply> reply = fail(Code::internal);
    int status = 0;  // HTTP; 0: none
  };
  struct Discovered {
    enum class Outcome : std::uint8_t { modern, legacy, failed } outcome = Outcome::failed;
    bool spent = false;  // stdio: the process died of it, or says nothing; another is due
    ServerInfo info;  // modern
    Error why{};  // failed
  };

  Task<Result<void>> negotiate_stdio(SteadyTime deadline);
  Task<Result<void>> negotiate_http(SteadyTime deadline);
  Task<Result<void>> probe_http(SteadyTime deadline);
  Task<Result<void>> renegotiate(SteadyTime deadline);
  Task<void> renew_task(SteadyTime deadline);
  Task<Result<void>> start(Wire wire, SteadyTime deadline);
  Task<Word> say(std::string text, std::uint64_t id, SteadyTime deadline, bool is_discover);
  Task<Discovered> discover(SteadyTime deadline);
  Task<Result<void>> initialize(SteadyTime deadline, Word& word);
  Task<Result<void>> fall_back(SteadyTime deadline);  // to initialize, over HTTP
  [[nodiscard]] bool is_evidence(const Word& word) const;
  Result<void> adopt(ServerInfo info, Speech speech);
  void ready();
  void learn(Speech speech);
  void drop_connection();
  Task<void> close_dropped(std::shared_ptr<Connection> connection);

  Executor executor_;
  const Deps& deps_;
  const Settings& settings_;
  ServerPtr server_;
  ConnectionFactory make_;
  TaskGroup tasks_;  // renewal, and the closing of connections that were replaced; ends by abandon()
  std::shared_ptr<Connection> connection_;
  Wire wire_ = Wire::stdio;
  ServerInfo info_;
  std::optional<Error> end_;
  std::uint64_t next_id_ = 1;
  std::uint64_t handshakes_ = 0;
  bool ready_ = false;
  bool renewing_ = false;
  Result<void> renewal_;  // how the last one went
  SteadyTimer renewed_;
};

}  // namespace sallyport::upstream
