#include "request/upstream/session.h"

#include <algorithm>

#include "request/upstream/breakers.h"
#include "request/upstream/codec.h"
#include "request/upstream/connection.h"

namespace sallyport::upstream {
namespace {

// What speaks against the server: a refusal by us, or a caller who left, does not open its breaker.
bool counts_as_failure(Code code) {
  return code == Code::upstream_unavailable || code == Code::upstream_timeout || code == Code::upstream_protocol ||
         code == Code::upstream_too_large;
}

class InFlight {
 public:
  explicit InFlight(std::size_t& count) : count_(count) { ++count_; }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  ~InFlight() { --count_; }

 private:
  std::size_t& count_;
};

}  // namespace

Session::Session(Executor executor, ServerPtr server, std::string principal, std::unique_ptr<Connection> connection,
                 const Settings& settings, const Clock& clock, std::shared_ptr<Breaker> breaker)
    : server_(std::move(server)),
      principal_(std::move(principal)),
      connection_(std::move(connection)),
      settings_(settings),
      clock_(clock),
      breaker_(std::move(breaker)),
      last_used_(clock.steady()),
      renewed_(executor, SteadyTimer::time_point::max()) {}

Session::~Session() = default;

bool Session::alive() const noexcept { return connection_->alive(); }
bool Session::stateless() const noexcept { return connection_->stateless(); }
bool Session::failed() const noexcept { return connection_->failed(); }
void Session::abandon(const Error& why) { connection_->abandon(why); }
void Session::expire(SteadyTime now) { connection_->expire(now); }
Task<void> Session::close() { co_await connection_->close(); }

Task<Result<void>> Session::open(SteadyTime deadline) {
  SP_CO_CHECK(co_await connection_->open(deadline));
  co_return co_await handshake(deadline);
}

Task<Result<void>> Session::handshake(SteadyTime deadline) {
  const std::uint64_t id = next_id_++;
  SP_CO_TRY(const Reply reply,
            co_await connection_->request(
                {.id = id, .text = legacy::initialize(id), .deadline = deadline, .cancellable = false}, nullptr));
  if (reply.is_error) co_return fail(Code::upstream_refused, "initialize was refused: " + reply.body.substr(0, 200));
  SP_CO_TRY(info_, legacy::read_initialize(reply.body));
  SP_CO_CHECK(connection_->negotiated(info_));
  SP_CO_TRY(std::string initialized, legacy::notification("notifications/initialized", {}));
  SP_CO_CHECK(co_await connection_->notify(std::move(initialized), deadline));
  ++epoch_;
  last_used_ = clock_.steady();
  connection_->listen();
  co_return Result<void>{};
}

Task<Result<Reply>> Session::call(Call call, CallEvents* events) {
  const auto self = shared_from_this();
  if (in_flight_ >= settings_.calls_in_flight) co_return fail(Code::limit, "calls in flight with " + server_->name);
  const SteadyTime now = clock_.steady();
  call.deadline = std::min(call.deadline, now + settings_.call_max);
  Breaker::Admission admission{.allow = true};
  if (breaker_) admission = breaker_->admit(now);
  if (!admission.allow) co_return fail(Code::breaker_open, "the breaker of " + server_->name + " is open");
  const InFlight count(in_flight_);
  last_used_ = now;
  auto reply = co_await run(std::move(call), events);
  last_used_ = clock_.steady();
  if (reply) ++answered_;
  const bool silent = !reply && reply.error().code == Code::cancelled;  // says nothing about the server
  if (breaker_ && !silent)
    breaker_->report(admission, reply || !counts_as_failure(reply.error().code), now, last_used_);
  co_return reply;
}

Task<Result<Reply>> Session::run(Call call, CallEvents* events) {
  try {
    const std::uint64_t epoch = epoch_;
    auto reply = co_await send(call, events);
    if (reply || reply.error().code != Code::session_unknown) co_return reply;
    // MCP, session management: 404 on a session means it was not executed, and that we must initialize again.
    SP_CO_CHECK(co_await renew(epoch, call.deadline));
    reply = co_await send(call, events);
    if (!reply && reply.error().code == Code::session_unknown)
      co_return fail(Code::upstream_protocol, "the server forgets every session");
    co_return reply;
  } catch (const std::exception& e) {  // cancellation that arrives between two awaits is thrown by Asio
    co_return fail(Code::cancelled, e.what());
  }
}

Task<Result<Reply>> Session::send(const Call& call, CallEvents* events) {
  const std::uint64_t id = next_id_++;
  SP_CO_TRY(std::string text, legacy::request(id, call));
  Outgoing message{id, std::move(text), call.deadline, call.wants_progress, true};
  co_return co_await connection_->request(std::move(message), events);
}

Task<Result<void>> Session::renew(std::uint64_t seen_epoch, SteadyTime deadline) {
  while (epoch_ == seen_epoch && renewing_) co_await renewed_.async_wait(use_task_ec);
  if (epoch_ != seen_epoch) co_return Result<void>{};
  renewing_ = true;
  connection_->forget_session();
  auto done = co_await handshake(std::min(deadline, clock_.steady() + server_->start_timeout));
  renewing_ = false;
  renewed_.cancel();
  co_return done;
}

Task<Result<void>> Session::notify(std::string method, std::string params) {
  SP_CO_TRY(std::string text, legacy::notification(method, params));
  co_return co_await connection_->notify(std::move(text), clock_.steady() + server_->call_timeout);
}

}  // namespace sallyport::upstream
