#include "request/upstream/stdio_connection.h"

#include "json/slice.h"
#include "request/upstream/codec.h"
#include "request/upstream/modern.h"
#include "request/upstream/notices.h"

namespace sallyport::upstream {
namespace {

constexpr std::size_t kReadBytes = 64U << 10;
constexpr std::size_t kRefusedLogged = 10;  // a process
constexpr std::size_t kSnippetBytes = 200;

std::string exit_text(const Result<launcher::ExitStatus>& status) {
  if (!status) return "the server is gone: " + status.error().detail;
  if (status->signal != 0)
    return "the server was ended by signal " + std::to_string(status->signal) + " during the call";
  return "the server exited with status " + std::to_string(status->code) + " during the call";
}

}  // namespace

Result<launcher::LaunchSpec> launch_spec(const ServerRecord& server, const Deps& deps) {
  launcher::LaunchSpec spec;
  spec.label = server.name;
  spec.argv = server.command;
  for (const auto& [name, reference] : server.env) {
    auto value = deps.secret(reference);
    if (!value)
      return fail(Code::config, "environment " + name + " of server " + server.name + ": " + value.error().detail);
    spec.env.emplace_back(name, std::move(*value));
  }
  spec.working_directory = server.working_directory;
  spec.paths = server.paths;
  spec.network = server.network;
  return spec;
}

StdioConnection::StdioConnection(Executor executor, const Deps& deps, const Settings& settings, ServerPtr server,
                                 Unsolicited unsolicited)
    : executor_(executor),
      deps_(deps),
      settings_(settings),
      server_(std::move(server)),
      unsolicited_(std::move(unsolicited)),
      tasks_(executor, [this](const char* what) { deps_.say(server_->name, "exception", what); }),
      stderr_log_(deps, settings, server_->name) {}

StdioConnection::~StdioConnection() = default;

Task<Result<void>> StdioConnection::open(SteadyTime /*deadline*/) {
  if (deps_.launcher == nullptr) co_return fail(Code::upstream_unavailable, "no launcher: stdio servers are off");
  SP_CO_TRY(auto spec, launch_spec(*server_, deps_));
  auto child = co_await deps_.launcher->start(std::move(spec));
  if (!child) co_return fail(std::move(child).error());
  if (end_) co_return fail(*end_);  // ended while it started; the child dies with its handle
  child_ = std::move(*child);
  outbox_.emplace(executor_, child_.in.release(), settings_.queue_bytes_max);
  out_.emplace(executor_, child_.out.release());
  err_.emplace(executor_, child_.err.release());
  started_ = true;
  tasks_.spawn(outbox_->run());
  tasks_.spawn(read_stderr());
  tasks_.spawn(supervise());
  co_return Result<void>{};
}

Task<Result<Reply>> StdioConnection::request(Outgoing message, CallEvents* events) {
  if (end_) co_return fail(*end_);
  if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
    co_return fail(Code::cancelled, "cancelled before it was sent");
  PendingCalls::Slot slot(pending_, executor_, message, events, *server_,
                          [this](std::string text) { push(std::move(text), "answer_not_sent"); });
  SP_CO_CHECK(outbox_->push(std::move(message.text)));
  co_await slot.wait();
  if (slot.requests.any()) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await slot.requests.end();
  }
  if (slot.answered()) co_return std::move(*slot.answered());
  if (message.cancellable) say_cancelled(message.id, "The client cancelled the call");
  co_return fail(Code::cancelled, "the caller cancelled");
}

Task<Result<void>> StdioConnection::notify(std::string text, SteadyTime /*deadline*/) {
  if (end_) co_return fail(*end_);
  co_return outbox_->push(std::move(text));
}

void StdioConnection::push(std::string message, std::string_view event) {
  if (end_) return;
  if (auto sent = outbox_->push(std::move(message)); !sent) deps_.say(server_->name, event, sent.error().detail);
}

void StdioConnection::say_cancelled(std::uint64_t id, std::string_view reason) {
  push(legacy::cancelled(id, reason), "cancel_not_sent");
}

void StdioConnection::expire(SteadyTime now) {
  pending_.expire(now, [this](PendingCalls::Slot& slot) {
    if (slot.cancellable) say_cancelled(slot.id, "The call took too long");
    slot.answer(fail(Code::upstream_timeout, "no answer of " + server_->name + " before the deadline"));
  });
}

Task<void> StdioConnection::read_stdout() {
  LineBuffer lines(server_->result_bytes_max);
  for (;;) {
    const auto room = lines.prepare(kReadBytes);
    const auto [ec, n] = co_await out_->async_read_some(asio::buffer(room.data(), room.size()), use_task_ec);
    lines.commit(n);
    if (ec || n == 0) break;
    while (const auto line = lines.next()) {
      on_line(*line);
      if (end_) co_return;
    }
    // Which call it answers cannot be known, so all of them fail (the id may stand at its end).
    if (lines.overflowed()) co_return die(Code::upstream_too_large, "a line over the server's result_bytes_max");
  }
  if (!lines.rest().empty()) refused(lines.rest(), Error{Code::upstream_protocol, "half a line at the end"});
}

Task<void> StdioConnection::read_stderr() {
  char buffer[4096];
  for (;;) {
    const auto [ec, n] = co_await err_->async_read_some(asio::buffer(buffer), use_task_ec);
    if (ec || n == 0) break;
    stderr_log_.feed({buffer, n});
  }
  stderr_log_.end_line();
}

// Everything that the child wrote before it went is read first, then the calls that got no answer fail.
Task<void> StdioConnection::supervise() {
  co_await read_stdout();
  if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
  if (end_) {
    child_.kill();
  } else {
    outbox_->close();
    child_.stop(settings_.stop_grace);
  }
  const auto status = co_await child_.wait();
  const std::string text = exit_text(status);
  if (!end_) deps_.say(server_->name, "exit", text);
  die(Code::upstream_unavailable, text);
}

void StdioConnection::die(Code code, std::string detail) {
  if (end_) return;
  failed_ = true;
  end_ = Error{code, std::move(detail)};
  if (code != Code::upstream_unavailable) deps_.say(server_->name, "killed", end_->detail);
  pending_.fail_all(*end_);
}

void StdioConnection::abandon(const Error& why) {
  if (!end_) end_ = why;
  pending_.fail_all(why);
}

Task<void> StdioConnection::close() {
  if (started_) {
    outbox_->close();
    if (failed_) child_.kill();
    else child_.stop(settings_.stop_grace);
    const auto status = co_await child_.wait();
    if (!status) deps_.say(server_->name, "exit", status.error().detail);
  }
  tasks_.cancel();
  co_await tasks_.join();
}

void StdioConnection::on_line(std::string_view line) {
  if (line.empty()) return;
  const auto in = read_incoming(line, server_->result_bytes_max, minified_);
  if (!in) return refused(line, in.error());
  switch (in->kind) {
    case Incoming::Kind::result:
    case Incoming::Kind::error: return on_answer(*in);
    case Incoming::Kind::request: return on_request(*in);
    case Incoming::Kind::notification: return on_notification(*in);
  }
}

void StdioConnection::on_answer(const Incoming& in) {
  auto* slot = in.id ? pending_.find(*in.id) : nullptr;
  // A late answer of a cancelled call, a second one, or an id that was never ours: dropped (MCP, Cancellation).
  if (slot == nullptr) return deps_.say(server_->name, "foreign_id", in.raw_id.substr(0, kSnippetBytes));
  slot->answer(Reply{in.kind == Incoming::Kind::error, std::string(in.body)});
}

void StdioConnection::on_request(const Incoming& in) {
  // MCP 2026-07-28, stdio: a server writes no requests, and a client no responses.
  if (modern_) return deps_.say(server_->name, "request_dropped", in.method);
  if (auto* slot = server_->shared ? nullptr : pending_.asker())
    return slot->requests.ask({std::string(in.raw_id), in.method, std::string(in.params)});
  push(legacy::answer(in.raw_id, answer_outside(*server_, in.method)), "answer_not_sent");
}

void StdioConnection::on_notification(const Incoming& in) {
  if (in.method == kProgress) {
    const auto token = progress_token(in.params);
    auto* slot = token ? pending_.find(*token) : nullptr;
    if (slot != nullptr && slot->wants_progress && slot->events != nullptr)
      slot->events->progress(without_member(in.params, "progressToken"));
    return;
  }
  if (in.method == kCancelled) return pending_.cancel_request(cancelled_request(in.params));
  if (const auto id = modern_ ? modern::subscription_id(in.params) : std::nullopt) return on_subscription(*id, in);
  // Of a session that principals share nobody can tell whose call a log line speaks of: nobody hears it.
  if (in.method == kLogMessage && server_->shared) return;
  auto* slot = in.method == kLogMessage ? pending_.only() : nullptr;
  if (slot != nullptr && slot->events != nullptr) return slot->events->notification(in.method, in.params);
  // MCP 2026-07-28: what nobody subscribed to is not to be sent, and a log belongs to one request.
  if (!modern_ && is_notice(in.method) && unsolicited_) unsolicited_(in.method, in.params);
}

void StdioConnection::on_subscription(std::uint64_t id, const Incoming& in) {
  auto* slot = pending_.find(id);
  if (slot != nullptr && slot->listens && slot->events != nullptr)
    return slot->events->notification(in.method, in.params);
  deps_.say(server_->name, "foreign_subscription", in.method);
}

void StdioConnection::refused(std::string_view line, const Error& why) {
  ++refused_lines_;
  if (refused_lines_ <= kRefusedLogged)
    deps_.say(server_->name, "refused_line", why.detail + ": " + std::string(line.substr(0, kSnippetBytes)));
  // What looks like a message and cannot be read is most likely the answer of the one call that waits.
  auto* slot = pending_.only();
  if (slot != nullptr && line.starts_with('{') && line.find("\"jsonrpc\"") != std::string_view::npos)
    slot->answer(fail(Code::upstream_protocol, "the answer of " + server_->name + " cannot be read: " + why.detail));
  if (refused_lines_ > settings_.refused_lines_max)
    die(Code::upstream_protocol,
        "the server printed " + std::to_string(refused_lines_) + " lines that are no messages");
}

}  // namespace sallyport::upstream
