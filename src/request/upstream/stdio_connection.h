// MCP over the stdin and stdout of a child process (MCP, stdio transport), multiplexed by ids of ours. The child is
// started by the launcher and may print anything: every line is read strictly, what is no message is counted, and a
// child that prints too much of it, or a line without end, is killed. One worker; owned by its Session.
#pragma once

#include <memory>
#include <optional>

#include "launcher/launcher.h"
#include "model/server.h"
#include "request/upstream/connection.h"
#include "request/upstream/deps.h"
#include "request/upstream/line_buffer.h"
#include "request/upstream/multiplex.h"
#include "request/upstream/outbox.h"
#include "request/upstream/settings.h"
#include "request/upstream/stderr_log.h"

namespace sallyport::upstream {

// What the operator approved, as the launcher wants it. Errors: config (a reference that cannot be resolved).
Task<Result<launcher::LaunchSpec>> launch_spec(ServerPtr server, const Deps& deps, SteadyTime deadline);

class StdioConnection final : public Connection {
 public:
  StdioConnection(Executor executor, const Deps& deps, const Settings& settings, ServerPtr server,
                  Unsolicited unsolicited);
  ~StdioConnection() override;

  Task<Result<void>> open(SteadyTime deadline) override;
  Task<Result<Reply>> request(Outgoing message, CallEvents* events) override;
  Task<Result<void>> notify(std::string text, SteadyTime deadline) override;
  Result<void> negotiated(const ServerInfo& info) override {
    calls_.set_modern(is_modern(info.revision));
    return {};
  }
  void listen() override {}
  void forget_session() override {}
  void expire(SteadyTime now) override { calls_.expire(now); }
  void abandon(const Error& why) override;
  Task<void> close() override;
  [[nodiscard]] bool alive() const noexcept override { return !end_ && !silent_; }
  [[nodiscard]] bool failed() const noexcept override { return failed_ || silent_; }

 private:
  using Pipe = Outbox::Pipe;

  Task<void> supervise();
  Task<void> read_stdout();
  Task<void> read_stderr();
  void on_line(std::string_view line);
  void refused(std::string_view line, const Error& why);
  void gone(const Result<launcher::ExitStatus>& status);
  void die(Code code, std::string detail);
  void push(std::string message);

  Executor executor_;
  const Deps& deps_;
  Settings settings_;
  ServerPtr server_;
  TaskGroup tasks_;
  launcher::Child child_;
  std::optional<Outbox> outbox_;
  std::optional<Pipe> out_;
  std::optional<Pipe> err_;
  StderrLog stderr_log_;
  Multiplex calls_;
  std::size_t refused_lines_ = 0;
  std::optional<Error> end_;  // why nothing can be sent any more
  bool silent_ = false;  // its output ended by itself: no answer will come, and nothing new is sent
  bool failed_ = false;
  bool started_ = false;
};

}  // namespace sallyport::upstream
