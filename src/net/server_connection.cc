#include "net/server_connection.h"

#include "net/connection_impl.h"
#include "net/scrub.h"

namespace sallyport::net {
namespace {

constexpr std::size_t kLingerBytesMax = 1U << 20;
constexpr std::chrono::milliseconds kLingerTime{2'000};

std::string error_body(const Error& error) {
  const auto& row = info(error.code);
  std::string body = R"({"error":{"code":")";
  return body.append(row.name).append(R"(","message":")").append(row.public_text).append(R"("}})");
}

// Leaves the worker's lists however the task ends.
struct Leave {
  std::shared_ptr<ServerConnection> connection;
  ~Leave() { connection->leave(); }
};

}  // namespace

ServerContext::ServerContext(const ServerSettings& settings, Handler handler, DeadlineSweep& sweep)
    : settings_(settings), handler_(std::move(handler)), sweep_(sweep) {}

void ServerContext::begin_drain() {
  draining_ = true;
  for (auto* connection : connections_) connection->drain();
}

Task<void> serve_connection(Stream stream, Peer peer, ServerContext& context) {
  const Leave guard{std::make_shared<ServerConnection>(std::move(stream), std::move(peer), context)};
  co_await guard.connection->run();
}

ServerConnection::ServerConnection(Stream stream, Peer peer, ServerContext& context)
    : stream_(std::move(stream)),
      peer_(std::move(peer)),
      context_(context),
      settings_(context.settings_),
      sweep_(context.sweep_),
      place_(context.connections_.insert(context.connections_.end(), this)),
      reader_(settings_.limits),
      watch_ended_(stream_.socket().get_executor(), SteadyTimer::time_point::max()) {
  sweep_.add(*this);
}

void ServerConnection::leave() {
  left_ = true;
  sweep_.remove(*this);
  context_.connections_.erase(place_);
  stream_.close();
}

// What waits ends with an error; the coroutine then sees timed_out_ and can still answer, unless it was writing.
void ServerConnection::expired() {
  timed_out_ = true;
  boost::system::error_code ignored;
  if (phase_ == Phase::write) return stream_.shutdown();
  stream_.socket().cancel(ignored);
}

void ServerConnection::drain() {
  boost::system::error_code ignored;
  if (phase_ == Phase::idle) stream_.socket().cancel(ignored);
}

void ServerConnection::enter(Phase phase, std::chrono::milliseconds timeout) {
  phase_ = phase;
  set_deadline(sweep_.in(timeout));
}

void ServerConnection::leave_phase() {
  phase_ = Phase::handler;
  clear_deadline();
}

Task<void> ServerConnection::run() {
  while (co_await read_head()) {
    co_await exchange();
    if (close_) break;
    reader_.next();
  }
  if (stream_.flooded() && settings_.on_flood) settings_.on_flood(peer_);
  if (!gone_ && answered_) co_await linger();
}

// False: the connection is at its end.
Task<bool> ServerConnection::read_head() {
  begin_exchange();
  enter(Phase::idle, settings_.timeouts.idle);
  while (reader_.state() == RequestReader::State::head) {
    if (context_.draining_ && !reader_.started() && begin_ == end_) co_return false;
    if (!co_await fill()) {
      if (timed_out_ && phase_ == Phase::head) co_await refuse(Error{Code::request_timeout, "head too slow"});
      co_return false;
    }
    begin_ += reader_.feed(buffered());
    if (phase_ == Phase::idle && reader_.started()) enter(Phase::head, settings_.timeouts.head);
  }
  leave_phase();
  feed_buffered();
  if (reader_.state() != RequestReader::State::failed) co_return true;
  co_await refuse(reader_.error());
  co_return false;
}

void ServerConnection::begin_exchange() {
  common_headers_ = settings_.common_headers;
  extra_headers_.clear();
  scrub(out_);
  ::explicit_bzero(in_.data(), begin_);  // a watch may be reading behind that
  answered_ = streaming_ = stream_ended_ = close_ = continued_ = wants_watch_ = timed_out_ = false;
  on_gone_ = nullptr;
}

// What has arrived of the body already is read at once, without a wait; and bytes after a closing request show.
void ServerConnection::feed_buffered() {
  while (begin_ < end_ && reader_.state() == RequestReader::State::body) begin_ += reader_.feed(buffered());
  if (begin_ < end_ && reader_.state() == RequestReader::State::complete) reader_.feed(buffered());
}

Task<void> ServerConnection::exchange() {
  ++context_.requests_;
  ServerExchange exchange(*this);
  bool failed = false;
  try {
    co_await context_.handler_(exchange);
  } catch (const std::exception& error) {
    failed = true;
    if (settings_.on_exception) settings_.on_exception(error.what());
  } catch (...) {
    failed = true;
    if (settings_.on_exception) settings_.on_exception("not a std::exception");
  }
  on_gone_ = nullptr;
  if (!answered_ && !gone_) co_await refuse(Error{Code::internal, failed ? "handler threw" : "handler did not answer"});
  if (failed || gone_ || (streaming_ && !stream_ended_)) close_ = true;
  // A small rest of a body is read, so that the connection can go on.
  while (!close_ && reader_.state() == RequestReader::State::body) {
    if (phase_ != Phase::body) enter(Phase::body, settings_.timeouts.body);
    if (!co_await fill()) close_ = true;
    begin_ += reader_.feed(buffered());
  }
  if (reader_.state() == RequestReader::State::failed) close_ = true;
  leave_phase();
}

Task<void> ServerConnection::refuse(Error error) {
  ServerExchange exchange(*this);
  Response response;
  if (settings_.refuse) {
    response = settings_.refuse(exchange, error);
  } else {
    response.status = info(error.code).http_status;
    response.content_type = "application/json";
    response.body = error_body(error);
  }
  response.close = true;
  timed_out_ = false;
  if (auto sent = co_await respond(std::move(response)); !sent) gone_ = true;
}

// Closing with unread bytes would send a reset, which may overtake the answer (RFC 9112 9.6).
Task<void> ServerConnection::linger() {
  stream_.finish_writing();
  if (input_ended_) co_return;
  timed_out_ = false;
  enter(Phase::linger, kLingerTime);
  for (std::size_t total = 0; total < kLingerBytesMax && !timed_out_;) {
    begin_ = end_ = 0;
    if (!co_await fill()) break;
    total += end_;
  }
}

// At least one unread byte in the buffer, or false: the input ended, failed or timed out.
Task<bool> ServerConnection::fill() {
  while (watching_ && begin_ == end_) {  // the watch reads already: its bytes are ours
    waits_for_watch_ = true;
    co_await watch_ended_.async_wait(use_task_ec);
    waits_for_watch_ = false;
    if (begin_ < end_) break;
    if (timed_out_ || (context_.draining_ && phase_ == Phase::idle)) co_return false;
  }
  if (begin_ < end_) co_return true;
  if (input_ended_ || timed_out_) co_return false;
  begin_ = end_ = 0;
  IoResult read;
  if (stream_.tls()) {
    read = co_await stream_.read_some(in_);
  } else {
    read = co_await stream_.read_when_ready(in_);
  }
  end_ = read.bytes;
  if (!read.error) co_return true;
  if (!timed_out_) input_ended_ = true;
  co_return false;
}

Task<Result<std::string_view>> ServerConnection::read_body() {
  if (reader_.state() == RequestReader::State::body && reader_.head().expect_continue && !continued_ && !answered_) {
    continued_ = true;
    SP_CO_CHECK(co_await send("HTTP/1.1 100 Continue\r\n\r\n"));
  }
  std::size_t progress = settings_.timeouts.body_progress_bytes;  // the first window starts now
  while (reader_.state() == RequestReader::State::body) {
    if (progress >= settings_.timeouts.body_progress_bytes) {
      enter(Phase::body, settings_.timeouts.body);
      progress = 0;
    }
    if (!co_await fill()) break;
    const auto used = reader_.feed(buffered());
    begin_ += used;
    progress += used;
  }
  leave_phase();
  feed_buffered();
  if (reader_.state() == RequestReader::State::failed) co_return fail(reader_.error());
  if (reader_.state() != RequestReader::State::complete) {
    close_ = true;
    if (timed_out_) co_return fail(Code::request_timeout, "body too slow");
    gone_ = true;
    co_return fail(Code::cancelled, "client gone before the end of its body");
  }
  if (wants_watch_) start_watching();
  co_return std::string_view(reader_.body());
}

void ServerConnection::watch(std::function<void()> on_gone) {
  on_gone_ = std::move(on_gone);
  wants_watch_ = true;
  if (reader_.state() == RequestReader::State::complete) start_watching();
}

void ServerConnection::start_watching() {
  if (watching_ || gone_ || end_ == in_.size()) return;  // a full buffer: no more is read ahead
  if (begin_ == end_) begin_ = end_ = 0;
  watching_ = true;
  if (stream_.tls()) return watch_tls();
  stream_.socket().async_read_some(
      asio::buffer(in_.data() + end_, in_.size() - end_),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t n) { self->watched(error, n); });
}

// OpenSSL may hold bytes that the socket no longer shows: they come first.
void ServerConnection::watch_tls() {
  const IoResult read = stream_.read_now(std::span(in_).subspan(end_));
  if (read.error != asio::error::would_block) {
    return asio::post(stream_.socket().get_executor(),
                      [self = shared_from_this(), read] { self->watched(read.error, read.bytes); });
  }
  stream_.socket().async_wait(Socket::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
    if (error || self->left_) return self->watched(error, 0);
    self->watch_tls();
  });
}

void ServerConnection::watched(const boost::system::error_code& error, std::size_t bytes) {
  watching_ = false;
  end_ += bytes;
  if (left_) return;
  if (error && !timed_out_ && error != asio::error::operation_aborted) input_ended_ = gone_ = true;
  if (waits_for_watch_) {
    watch_ended_.cancel();
  } else if (!error && wants_watch_) {
    start_watching();
  }
  if (gone_ && on_gone_) std::exchange(on_gone_, nullptr)();
}

const RequestHead& ServerExchange::head() const noexcept { return connection_.head(); }
const Peer& ServerExchange::peer() const noexcept { return connection_.peer(); }
Task<Result<std::string_view>> ServerExchange::read_body() { return connection_.read_body(); }
Task<Result<void>> ServerExchange::respond(Response response) { return connection_.respond(std::move(response)); }
Task<Result<void>> ServerExchange::start_stream(int status, Headers headers) {
  return connection_.start_stream(status, std::move(headers));
}
Task<Result<void>> ServerExchange::write(std::string_view bytes) { return connection_.write_chunk(bytes); }
Task<Result<void>> ServerExchange::end_stream() { return connection_.end_stream(); }
bool ServerExchange::answered() const noexcept { return connection_.answered(); }
void ServerExchange::watch_gone(std::function<void()> on_gone) { connection_.watch(std::move(on_gone)); }
bool ServerExchange::gone() const noexcept { return connection_.gone(); }
void ServerExchange::set_common_headers(std::string_view block) noexcept { connection_.set_common_headers(block); }
bool ServerExchange::add_header(std::string_view name, std::string_view value) {
  return connection_.add_header(name, value);
}

}  // namespace sallyport::net
