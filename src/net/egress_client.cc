#include "net/egress_client.h"

#include <algorithm>

#include "net/egress_connection.h"
#include "net/tls_workshop.h"

namespace sallyport::net {

Result<void> check_request_headers(const Headers& headers);  // egress_target.cc

namespace {

constexpr std::size_t kTargetsMax = 1024;  // beyond, targets without a connection are forgotten

bool idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" || method == "DELETE";
}

Result<void> check(const EgressRequest& request, SteadyTime now) {
  if (!request.target) return fail(Code::internal, "request without a target");
  if (request.deadline == SteadyTime::max()) return fail(Code::internal, "request without a deadline");
  if (request.deadline <= now) return fail(Code::upstream_timeout, "deadline passed before the request");
  if (!valid_token(request.method) || request.method == "CONNECT") return fail(Code::invalid_request, "method");
  const bool good = request.path.empty() || (request.path[0] == '/' && std::ranges::all_of(request.path, [](char c) {
                                               return c > ' ' && c <= '~' && c != '#';
                                             }));
  if (!good) return fail(Code::invalid_request, "path that cannot be written");
  return check_request_headers(request.headers);
}

}  // namespace

EgressPool& EgressClient::Impl::pool(const std::string& key) {
  if (pools.size() >= kTargetsMax && !pools.contains(key)) prune();
  auto& slot = pools[key];
  if (!slot) slot = std::make_unique<EgressPool>(*this);
  return *slot;
}

std::unique_ptr<EgressConnection> EgressClient::Impl::take_idle(const EgressTarget& target) {
  const auto found = pools.find(target.key());
  if (found == pools.end()) return nullptr;
  auto& idle = found->second->idle;
  while (!idle.empty()) {  // the youngest first
    auto connection = std::move(idle.back());
    idle.pop_back();
    connection->set_idle(false);
    const bool old = connection->deadline() <= sweep.tick();
    // It may have been opened for a target with another policy.
    const bool allowed =
        !target.unix_path().empty() || refusal(target.policy(), target.url().host, connection->address()).empty();
    // Handed back within this interval: not asked, which saves a system call under load.
    const bool fresh = connection->deadline() == sweep.in(options.idle_age);
    if (!old && allowed && (fresh ? !connection->dead() : !connection->stale())) return connection;
  }
  return nullptr;
}

void EgressClient::Impl::give_back(std::unique_ptr<EgressConnection> connection) {
  auto& idle = connection->pool().idle;
  if (!connection->reusable() || idle.size() >= options.idle_per_target) return;
  connection->set_idle(true);
  connection->set_deadline(sweep.in(options.idle_age));
  idle.push_back(std::move(connection));
}

// From inside a sweep nothing may be destroyed: later, on the same thread.
void EgressClient::Impl::schedule_prune() {
  if (std::exchange(prune_scheduled, true)) return;
  asio::post(executor, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->prune();
  });
}

void EgressClient::Impl::prune() {
  prune_scheduled = false;
  for (auto it = pools.begin(); it != pools.end();) {
    auto& pool = *it->second;
    std::erase_if(pool.idle, [](const auto& connection) { return connection->stale(); });
    it = pool.open == 0 ? pools.erase(it) : std::next(it);
  }
}

Task<EgressClient::Impl::Connected> EgressClient::Impl::exchange(const EgressRequest& request) {
  SP_CO_CHECK(check(request, sweep.tick()));
  auto connection = take_idle(*request.target);
  if (connection) {
    auto done = co_await connection->exchange(request);
    if (done) co_return connection;
    const bool silent = !connection->reader().started() && !connection->timed_out();
    const bool again = silent && (connection->nothing_sent() || idempotent(request.method));
    if (!again) co_return fail(std::move(done).error());
    connection.reset();
  }
  SP_CO_TRY(connection, co_await connect(*request.target, request.deadline));
  SP_CO_CHECK(co_await connection->exchange(request));
  co_return connection;
}

EgressClient::EgressClient(Executor executor, DeadlineSweep& sweep, EgressOptions options)
    : impl_(std::make_shared<Impl>(executor, sweep, std::move(options))) {}

EgressClient::~EgressClient() { drop_idle(); }

Task<Result<EgressResponse>> EgressClient::fetch(EgressRequest request) {
  SP_CO_TRY(auto connection, co_await impl_->exchange(request));
  auto& reader = connection->reader();
  while (reader.state() == ResponseReader::State::body) SP_CO_CHECK(co_await connection->advance());
  EgressResponse response{reader.take_head(), std::move(reader.body())};
  impl_->give_back(std::move(connection));
  co_return response;
}

Task<Result<std::unique_ptr<EgressStream>>> EgressClient::open(EgressRequest request) {
  SP_CO_TRY(auto connection, co_await impl_->exchange(request));
  co_return std::make_unique<EgressStream>(*this, std::move(connection), request.deadline);
}

Task<Result<EgressAnswer>> EgressClient::ask(EgressRequest request, std::uint64_t whole_bytes_max) {
  SP_CO_TRY(auto connection, co_await impl_->exchange(request));
  auto& reader = connection->reader();
  EgressAnswer answer;
  if (reader.head().status == 200 && reader.head().find("content-type").value_or("").starts_with("text/event-stream")) {
    answer.stream = std::make_unique<EgressStream>(*this, std::move(connection), request.deadline);
    co_return answer;
  }
  while (reader.state() == ResponseReader::State::body) {
    if (reader.body().size() > whole_bytes_max) co_return fail(Code::upstream_too_large, "an answer over the server's limit");
    SP_CO_CHECK(co_await connection->advance());
  }
  answer.whole = {reader.take_head(), std::move(reader.body())};
  impl_->give_back(std::move(connection));
  co_return answer;
}

Task<Result<TlsTermsPtr>> EgressClient::terms(TlsSources sources) {
  if (impl_->options.workshop == nullptr) co_return read_terms(std::move(sources));
  co_return co_await impl_->options.workshop->terms(std::move(sources));
}

void EgressClient::drop_idle() {
  for (auto& [key, pool] : impl_->pools) pool->idle.clear();
}

void EgressClient::drop_idle(const EgressTarget& target) {
  const auto found = impl_->pools.find(target.key());
  if (found != impl_->pools.end()) found->second->idle.clear();
}

std::size_t EgressClient::idle() const noexcept {
  std::size_t count = 0;
  for (const auto& [key, pool] : impl_->pools) count += pool->idle.size();
  return count;
}

EgressStream::EgressStream(EgressClient& client, std::unique_ptr<EgressConnection> connection, SteadyTime deadline)
    : client_(client), connection_(std::move(connection)), head_(connection_->reader().take_head()) {
  connection_->set_deadline(deadline);
}

EgressStream::~EgressStream() {
  if (connection_ && !closed_) client_.impl_->give_back(std::move(connection_));
}

Task<Result<std::string>> EgressStream::read_some() {
  if (closed_) co_return fail(Code::cancelled, "stream closed");
  if (!connection_) co_return std::string();
  auto& reader = connection_->reader();
  while (reader.body().empty() && reader.state() == ResponseReader::State::body) {
    if (auto more = co_await connection_->advance(); !more) {
      if (closed_) co_return fail(Code::cancelled, "stream closed");
      co_return fail(std::move(more).error());
    }
  }
  std::string bytes = std::exchange(reader.body(), {});
  if (reader.state() == ResponseReader::State::failed) co_return fail(reader.error());
  if (bytes.empty()) client_.impl_->give_back(std::move(connection_));
  co_return bytes;
}

void EgressStream::set_deadline(SteadyTime deadline) {
  if (connection_) connection_->set_deadline(deadline);
}

void EgressStream::close() {
  closed_ = true;
  if (connection_) connection_->shutdown();
}

}  // namespace sallyport::net
