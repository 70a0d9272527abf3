#include "request/upstream/stdio_connection.h"

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

Task<Result<launcher::LaunchSpec>> launch_spec(ServerPtr server, const Deps& deps, SteadyTime deadline) {
  launcher::LaunchSpec spec;
  spec.label = server->name;
  spec.argv = server->command;
  for (const auto& [name, reference] : server->env) {
    auto value = co_await deps.secret(reference, server->name, deadline);
    if (!value)
      co_return fail(Code::config, "environment " + name + " of server " + server->name + ": " + value.error().detail);
    spec.env.emplace_back(name, std::move(*value));
  }
  for (const auto& [name, reference] : server->files) {
    auto value = co_await deps.secret(reference, server->name, deadline);
    if (!value)
      co_return fail(Code::config, "file " + name + " of server " + server->name + ": " + value.error().detail);
    spec.files.emplace_back(name, std::move(*value));
  }
  spec.working_directory = server->working_directory;
  spec.paths = server->paths;
  spec.network = server->network;
  co_return spec;
}

StdioConnection::StdioConnection(Executor executor, const Deps& deps, const Settings& settings, ServerPtr server,
                                 Unsolicited unsolicited)
    : executor_(executor),
      deps_(deps),
      settings_(settings),
      server_(std::move(server)),
      tasks_(executor, [this](const char* what) { deps_.say(server_->name, "exception", what); }),
      stderr_log_(deps, settings, server_->name),
      calls_(executor, deps, server_, std::move(unsolicited), [this](std::string text) { push(std::move(text)); }) {}

StdioConnection::~StdioConnection() = default;

Task<Result<void>> StdioConnection::open(SteadyTime deadline) {
  if (deps_.launcher == nullptr) co_return fail(Code::upstream_unavailable, "no launcher: stdio servers are off");
  SP_CO_TRY(auto spec, co_await launch_spec(server_, deps_, deadline));
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
  const auto send = [this](Outgoing& call) {
    if (call.sending) call.sending();
    return outbox_->push(std::move(call.text));
  };
  co_return co_await calls_.call(std::move(message), events, send);
}

Task<Result<void>> StdioConnection::notify(std::string text, SteadyTime /*deadline*/) {
  if (end_) co_return fail(*end_);
  co_return outbox_->push(std::move(text));
}

void StdioConnection::push(std::string message) {
  if (end_) return;
  if (auto sent = outbox_->push(std::move(message)); !sent) deps_.say(server_->name, "not_sent", sent.error().detail);
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
    silent_ = true;  // until its process is gone others already have another
    outbox_->close();
    child_.stop(settings_.stop_grace);
  }
  gone(co_await child_.wait());
}

void StdioConnection::gone(const Result<launcher::ExitStatus>& status) {
  if (end_) return;
  const std::string text = exit_text(status);
  deps_.say(server_->name, "exit", text);
  die(Code::upstream_unavailable, text);
}

void StdioConnection::die(Code code, std::string detail) {
  if (end_) return;
  failed_ = true;
  end_ = Error{code, std::move(detail)};
  if (code != Code::upstream_unavailable) deps_.say(server_->name, "killed", end_->detail);
  calls_.fail_all(*end_);
}

void StdioConnection::abandon(const Error& why) {
  if (!end_) end_ = why;
  calls_.fail_all(why);
}

Task<void> StdioConnection::close() {
  if (started_) {
    outbox_->close();
    if (failed_) child_.kill();
    else child_.stop(settings_.stop_grace);
    const auto status = co_await child_.wait();
    if (!status) deps_.say(server_->name, "exit", status.error().detail);
    if (silent_) gone(status);  // supervise() may not come to it any more
  }
  tasks_.cancel();
  co_await tasks_.join();
}

void StdioConnection::on_line(std::string_view line) {
  if (line.empty()) return;
  if (const auto read = calls_.read(line); !read) refused(line, read.error());
}

void StdioConnection::refused(std::string_view line, const Error& why) {
  ++refused_lines_;
  if (refused_lines_ <= kRefusedLogged)
    deps_.say(server_->name, "refused_line", why.detail + ": " + std::string(line.substr(0, kSnippetBytes)));
  // What looks like a message and cannot be read is most likely the answer of the one call that waits.
  auto* slot = calls_.pending().only();
  if (slot != nullptr && line.starts_with('{') && line.find("\"jsonrpc\"") != std::string_view::npos)
    slot->answer(fail(Code::upstream_protocol, "the answer of " + server_->name + " cannot be read: " + why.detail));
  if (refused_lines_ > settings_.refused_lines_max)
    die(Code::upstream_protocol,
        "the server printed " + std::to_string(refused_lines_) + " lines that are no messages");
}

}  // namespace sallyport::upstream
