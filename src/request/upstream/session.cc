#include "request/upstream/session.h"

#include <algorithm>

#include "model/log_level.h"
#include "request/upstream/breakers.h"
#include "request/upstream/codec.h"
#include "request/upstream/modern.h"

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

Deps deps_of(const Deps& deps, const std::string& principal) {
  Deps out = deps;
  out.principal = principal;
  return out;
}

std::function<void()> mark(const Call& call) {
  if (!call.begun) return {};
  return [begun = call.begun] { begun->mark(); };
}

}  // namespace

Session::Session(Executor executor, const Deps& deps, const Settings& settings, ServerPtr server, std::string principal,
                 Unsolicited unsolicited, std::shared_ptr<Breaker> breaker)
    : server_(std::move(server)),
      principal_(std::move(principal)),
      settings_(settings),
      deps_(deps_of(deps, principal_)),
      clock_(deps.clock),
      breaker_(std::move(breaker)),
      link_(executor, deps_, settings_, server_,
            [=, this](Wire wire) { return make_connection(wire, executor, deps_, settings_, server_, unsolicited); }),
      watch_(executor, deps_, settings_, link_, server_, unsolicited,
             [this](Call call) { return run(std::move(call), nullptr); }),
      tasks_(executor, [this](const char* what) { deps_.say(server_->name, "exception", what); }),
      last_used_(clock_.steady()) {}

Session::~Session() = default;

void Session::abandon(const Error& why) {
  watch_.stop();
  link_.abandon(why);
}

Task<void> Session::close() {
  watch_.stop();
  co_await link_.close();
  co_await watch_.join();
  co_await tasks_.join();
}

Task<Result<void>> Session::open(SteadyTime deadline) {
  auto opened = co_await link_.open(deadline);
  last_used_ = clock_.steady();
  co_return opened;
}

Task<Result<Reply>> Session::call(Call call, CallEvents* events) {
  const auto self = shared_from_this();
  if (in_flight_ >= settings_.calls_in_flight) co_return fail(Code::limit, "calls in flight with " + server_->name);
  const SteadyTime now = clock_.steady();
  if (!call.asks_people) call.deadline = std::min(call.deadline, now + settings_.call_max);
  Breaker::Admission admission{.allow = true};
  if (breaker_) admission = breaker_->admit(now);
  if (!admission.allow) co_return fail(Code::breaker_open, "the breaker of " + server_->name + " is open");
  const InFlight count(in_flight_);
  last_used_ = now;
  auto reply = co_await run(std::move(call), events);
  last_used_ = clock_.steady();
  if (reply) ++answered_;
  const bool silent = !reply && reply.error().code == Code::cancelled;  // says nothing about the server
  if (breaker_ && silent) breaker_->withdraw(admission, last_used_);
  else if (breaker_) breaker_->report(admission, reply || !counts_as_failure(reply.error().code), now, last_used_);
  co_return reply;
}

Task<Result<Reply>> Session::run(Call call, CallEvents* events) {
  try {
    const std::uint64_t seen = link_.handshakes();
    auto reply = co_await send(call, events);
    if (!wants_handshake(reply)) co_return reply;
    SP_CO_CHECK(co_await link_.renew(seen, call.deadline));
    watch_.renewed();
    reply = co_await send(call, events);
    if (wants_handshake(reply))
      co_return fail(Code::upstream_protocol, reply ? "the server refuses its own era: " + reply->body.substr(0, 200)
                                                    : "the server forgets every session");
    co_return reply;
  } catch (const std::exception& e) {  // cancellation that arrives between two awaits is thrown by Asio
    co_return fail(Code::cancelled, e.what());
  }
}

// The message was not executed, and the server contradicts what we know of it: 404 on a session (MCP, session
// management), headers or a version that a server of this era would have taken (mcp-spec.md, 8).
bool Session::wants_handshake(const Result<Reply>& reply) const {
  if (!reply) return reply.error().code == Code::session_unknown;
  if (!reply->is_error || (!link_.modern() && server_->transport == Transport::stdio)) return false;
  const std::int64_t code = modern::error_code(reply->body);
  // The number alone may be a legacy server's own, for a call that it did execute: what it supports must stand beside it.
  if (code == modern::kUnsupportedVersion) return link_.modern() || modern::supported_versions(reply->body).has_value();
  return code == modern::kHeaderMismatch && link_.modern();
}

Task<Result<Reply>> Session::send(const Call& call, CallEvents* events) {
  const auto connection = link_.connection();
  if (!connection) co_return fail(Code::session_unknown, "no handshake holds");
  if (link_.modern()) co_return co_await send_modern(call, events, *connection);
  if (!call.log_level.empty()) co_await tell_log_level(call.log_level, false, call.deadline);
  const std::uint64_t id = link_.mint_id();
  SP_CO_TRY(std::string text, legacy::request(id, call));
  co_return co_await connection->request({.id = id,
                                          .text = std::move(text),
                                          .deadline = call.deadline,
                                          .wants_progress = call.wants_progress,
                                          .sending = mark(call)},
                                         events);
}

Task<Result<Reply>> Session::send_modern(const Call& call, CallEvents* events, Connection& connection) {
  const std::uint64_t id = link_.mint_id();
  SP_CO_TRY(std::string text, modern::request(id, call));
  Outgoing message{.id = id, .text = std::move(text), .deadline = call.deadline, .wants_progress = call.wants_progress};
  message.sending = mark(call);
  if (server_->transport == Transport::http) message.headers = modern::headers(call);
  SP_CO_TRY(Reply reply, co_await connection.request(std::move(message), events));
  if (reply.is_error) co_return reply;
  co_return modern::sort_result(call, std::move(reply.body));
}

void Session::want_log_level(std::string_view level) {
  const int rank = log_level_index(level);
  if (rank < 0 || !alive()) return;
  tasks_.spawn(
      tell_log_level(kLogLevels[static_cast<std::size_t>(rank)], true, clock_.steady() + server_->call_timeout));
}

// One session serves all clients of a principal, and each of them filters: the server logs what the least strict one wants.
Task<void> Session::tell_log_level(std::string_view level, bool may_raise, SteadyTime deadline) {
  if (server_->shared || link_.modern() || !info().has("logging")) co_return;
  if (std::exchange(told_in_, link_.handshakes()) != link_.handshakes()) told_level_ = -1;
  const int rank = log_level_index(level);
  const bool enough = told_level_ >= 0 && told_level_ <= rank;
  if (rank < 0 || rank == told_level_ || (enough && !may_raise)) co_return;
  told_level_ = rank;
  Call call{.method = "logging/setLevel", .params = R"({"level":")" + std::string(level) + "\"}", .deadline = deadline};
  const auto reply = co_await send(call, nullptr);
  if (!reply) told_level_ = -1;
  if (!reply) deps_.say(server_->name, "log_level", reply.error().detail);
  else if (reply->is_error) deps_.say(server_->name, "log_level_refused", std::string_view(reply->body).substr(0, 200));
}

Task<Result<void>> Session::notify(std::string method, std::string params) {
  const auto connection = link_.connection();
  if (!connection) co_return fail(Code::upstream_unavailable, "no handshake holds");
  if (link_.modern()) co_return Result<void>{};
  SP_CO_TRY(std::string text, legacy::notification(method, params));
  co_return co_await connection->notify(std::move(text), clock_.steady() + server_->call_timeout);
}

}  // namespace sallyport::upstream
