#include "request/upstream/link.h"

#include <algorithm>
#include <array>
#include <bit>

namespace sallyport::upstream {

Link::Link(Executor executor, const Deps& deps, const Settings& settings, ServerPtr server, ConnectionFactory make)
    : executor_(executor),
      deps_(deps),
      settings_(settings),
      server_(std::move(server)),
      make_(std::move(make)),
      tasks_(executor, [this](const char* what) { deps_.say(server_->name, "exception", what); }),
      renewed_(executor, SteadyTimer::time_point::max()) {
  if (server_->transport == Transport::stdio) return;
  std::array<std::byte, 4> start;  // two sessions of one principal at one URL never use the same ids
  deps_.random.fill(start);
  next_id_ += std::uint64_t{std::bit_cast<std::uint32_t>(start)} << 16U;
}

Link::~Link() = default;

Task<Result<void>> Link::open(SteadyTime deadline) {
  return server_->transport == Transport::stdio ? negotiate_stdio(deadline) : negotiate_http(deadline);
}

Task<Result<void>> Link::renew(std::uint64_t seen, SteadyTime deadline) {
  if (handshakes_ != seen && ready_) co_return Result<void>{};
  if (end_) co_return fail(*end_);
  if (!renewing_) {
    renewing_ = true;
    tasks_.spawn(renew_task(std::min(deadline, deps_.clock.steady() + server_->start_timeout)));
  }
  while (renewing_) {
    co_await renewed_.async_wait(use_task_ec);
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
      co_return fail(Code::cancelled, "cancelled during a new handshake");
  }
  co_return renewal_;
}

Task<void> Link::renew_task(SteadyTime deadline) {
  renewal_ = co_await renegotiate(deadline);
  renewing_ = false;
  renewed_.cancel();
}

Task<Result<void>> Link::start(Wire wire, SteadyTime deadline) {
  if (end_) co_return fail(*end_);
  drop_connection();
  ready_ = false;
  wire_ = wire;
  connection_ = make_(wire);
  const auto connection = connection_;
  SP_CO_CHECK(co_await connection->open(deadline));
  if (end_) co_return fail(*end_);
  co_return Result<void>{};
}

void Link::drop_connection() {
  if (!connection_) return;
  connection_->abandon(Error{Code::upstream_unavailable, "the connection with " + server_->name + " was replaced"});
  tasks_.spawn(close_dropped(std::exchange(connection_, nullptr)));
}

Task<void> Link::close_dropped(std::shared_ptr<Connection> connection) {
  // Whatever cancels us, the process behind it must be gone at the end.
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await connection->close();
}

Result<void> Link::adopt(ServerInfo info, Speech speech) {
  if (end_) return fail(*end_);
  SP_CHECK(connection_->negotiated(info));
  info_ = std::move(info);
  learn(speech);
  return {};
}

void Link::ready() {
  ready_ = true;
  ++handshakes_;
}

void Link::learn(Speech speech) {
  if (deps_.eras != nullptr) deps_.eras->learn(*server_, speech);
}

void Link::expire(SteadyTime now) {
  if (connection_) connection_->expire(now);
}

void Link::abandon(const Error& why) {
  if (!end_) end_ = why;
  if (connection_) connection_->abandon(why);
}

Task<void> Link::close() {
  if (const auto connection = connection_) co_await connection->close();
  co_await tasks_.join();
}

}  // namespace sallyport::upstream
