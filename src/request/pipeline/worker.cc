#include "request/pipeline/worker.h"

#include <charconv>
#include <functional>

#include "model/client_certificate.h"
#include "net/tls_server.h"
#include "request/mcp/message.h"
#include "request/pipeline/kept_arguments.h"
#include "request/pipeline/parked.h"
#include "request/pipeline/subscription.h"

namespace sallyport {

unsigned Fleet::home_of(std::string_view principal_id) const {
  return static_cast<unsigned>(std::hash<std::string_view>{}(principal_id) % workers.size());
}

Task<void> Fleet::on_every_worker(std::function<void(Worker&)> fn) const {
  for (Worker* worker : workers) {
    auto one = [](std::function<void(Worker&)> todo, Worker& target) -> Task<Result<bool>> {
      todo(target);
      co_return true;
    };
    (void)co_await run_on<bool>(worker->executor, one(fn, *worker));
  }
}

Worker::Worker(unsigned number, Executor ex, Fleet& whole, SnapshotPtr first, audit::AuditWriter& writer,
               upstream::Deps upstream_deps, const upstream::Settings& upstream_settings)
    : index(number),
      executor(ex),
      fleet(whole),
      snapshot(std::move(first)),
      audit(writer),
      metrics(whole.metrics.shard(number)),
      identity(whole.tokens, whole.settings.certificates),
      admission(whole.limiter),
      upstreams(ex, std::move(upstream_deps), upstream_settings),
      request_prefix(random_id(whole.random, 6) + "-"),
      tasks(ex, [this](const char* what) { fleet.log.error("task ended by an exception", {{"what", what}}); }) {
  kept_lists.take(*snapshot);
  upstreams.set_listener([this](const upstream::Notice& said) { notice(said); });
}

DeciderSettings Worker::decider_settings() const {
  return {.clock = &fleet.clock,
          .record_bytes = fleet.settings.record_bytes,
          .record_key = new_record_key(fleet.random),
          .hide = hiding(fleet.redactor)};
}

std::uint64_t Worker::admit_flood_record(SteadyTime now) {
  constexpr unsigned kRecordsPerSecond = 10;
  if (now - flood_second >= std::chrono::seconds(1)) {
    flood_second = now;
    flood_written = 0;
  }
  if (flood_written >= kRecordsPerSecond) {
    ++flood_held_back;
    return 0;
  }
  ++flood_written;
  return std::exchange(flood_held_back, 0) + 1;
}

std::string Worker::new_request_id() {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, next_request++, 36).ptr;
  return request_prefix + std::string(digits, end);
}

namespace {

bool valid_by(const Snapshot& snapshot, const Principal& principal, WallTime now) {
  const auto& principals = *snapshot.principals;
  if (!principal.session_id.empty()) {  // a token
    if (!snapshot.sessions->by_id.contains(principal.session_id)) return false;
    if (principals.revoked_tokens.contains(principal.credential_id)) return false;
    if (snapshot.token_keys != nullptr && snapshot.token_keys->revoked(principal.token_key_id)) return false;
  }
  if (!principal.certificate_id.empty() && !snapshot.certificates->by_id.contains(principal.certificate_id))
    return false;
  switch (principal.kind) {
    case PrincipalKind::local: return true;
    case PrincipalKind::key: {
      const auto key = principals.keys.find(std::string_view(principal.id).substr(4));  // "key:"
      if (key == principals.keys.end() || !key->second->enabled) return false;
      if (key->second->good_until(principal.key_secret) <= now) return false;
      // What began under other rights begins anew.
      if (principal.key == nullptr || !key->second->same_rights(*principal.key)) return false;
      if (key->second->owner_user_id.empty()) return true;
      const auto owner = principals.users.find(key->second->owner_user_id);
      return owner != principals.users.end() && owner->second->enabled;
    }
    case PrincipalKind::user: {
      const auto user = principals.users.find(std::string_view(principal.id).substr(5));  // "user:"
      return user != principals.users.end() && user->second->enabled &&
             principal.issued_at >= user->second->tokens_valid_from;  // a new password ends what the old one began
    }
  }
  return false;
}

}  // namespace

bool Worker::still_valid(const Principal& principal) const {
  const auto* const shown = principal.certificate.get();
  if (shown != nullptr && tls != nullptr && tls->standing(shown->links, shown->authorities) != net::Standing::good)
    return false;
  return valid_by(*snapshot, principal, fleet.clock.wall());
}

void Worker::take_tls(std::shared_ptr<const net::TlsServer> now) {
  tls = std::move(now);
  end_revoked();
}

void Worker::take(SnapshotPtr next) {
  if (next->epoch <= snapshot->epoch) return;
  const bool people_changed = next->principals != snapshot->principals ||
                              next->sessions->ended != snapshot->sessions->ended ||
                              next->certificates != snapshot->certificates || next->token_keys != snapshot->token_keys;
  const bool catalogue_changed = next->catalogue != snapshot->catalogue;
  snapshot = std::move(next);
  kept_lists.take(*snapshot);
  if (people_changed) end_revoked();
  if (!catalogue_changed) return;
  for (const auto& session : sessions.all()) {
    if (session->home == index) session->deliver(mcp::notification_envelope("notifications/tools/list_changed", {}));
  }
  for (const auto& listener : listeners) {
    if (listener->tools) listener->tell("notifications/tools/list_changed", {});
  }
}

void Worker::cancel(std::uint64_t key) {
  const auto call = running.find(key);
  if (call != running.end()) call->second.signal->emit(asio::cancellation_type::terminal);
}

void Worker::end_revoked() {
  const auto revoked = [&](const PrincipalPtr& principal) { return !still_valid(*principal); };
  for (const auto& session : sessions.all()) {
    if (revoked(session->principal)) end_session(session);
  }
  std::vector<std::uint64_t> calls;
  for (const auto& [key, call] : running) {
    if (revoked(call.principal)) calls.push_back(key);
  }
  for (const auto key : calls) cancel(key);
  for (auto& [key, call] : parked) {
    if (revoked(call.principal)) call.until = SteadyTime::min();  // the next tick ends and records it
  }
  for (const auto& listener : listeners) {
    if (revoked(listener->principal)) listener->stream->close();
  }
  for (const Heard& stream : heard) {
    if (revoked(stream.principal)) stream.stream->close();
  }
  for (auto& [id, logins] : served) {
    const bool lost = std::erase_if(logins, [&](const auto& login) { return revoked(login.second); }) > 0;
    if (lost && logins.empty()) upstreams.end_principal(id);
  }
  std::erase_if(served, [](const auto& entry) { return entry.second.empty(); });
}

void Worker::end_session(const mcp::ClientSessionPtr& session) {
  if (session->home == index) session->log->end();
  for (auto it = in_flight.lower_bound({session->id, ""}); it != in_flight.end() && it->first.first == session->id; ++it) {
    Worker& there = *fleet.workers[it->second.worker];
    asio::post(there.executor, [&there, key = it->second.key] { there.cancel(key); });
  }
  sessions.erase(session->id);
  if (session->home == index) watch_anew(session->principal->id, session->scope);
}

void Worker::end_calls() {
  std::vector<std::uint64_t> keys;
  for (const auto& [key, call] : running) keys.push_back(key);
  for (const auto key : keys) cancel(key);
  end_parked(SteadyTime::max());
  for (const auto& listener : listeners) listener->stream->close();
  for (const auto& session : sessions.all()) {
    if (session->home == index) session->log->close_listener();
  }
}

void Worker::expire_sessions() {
  const auto now = fleet.clock.steady().time_since_epoch().count();
  const auto idle = std::chrono::nanoseconds(fleet.settings.session_idle).count();
  for (const auto& session : sessions.all()) {
    if (session->home != index) continue;  // one decides for all: the tables must not differ
    session->log->close_overdue(fleet.clock.wall());
    session->log->sweep();
    if (session->log->listening()) session->last_used_ns = now;  // an open stream is use
    if (now - session->last_used_ns <= idle) continue;
    for (Worker* worker : fleet.workers) asio::post(worker->executor, [worker, session] { worker->end_session(session); });
  }
  std::erase_if(listed, [](const auto& entry) { return entry.second.session.expired(); });
}

void Worker::close_quiet_streams() {
  for (const auto& listener : listeners) listener->stream->close();
  for (const auto& session : sessions.all()) {
    if (session->home == index && *session->calls == 0) session->log->close_listener();
  }
}

void Worker::end_calls_at(SteadyTime when) { calls_end = when; }

void Worker::end_parked(SteadyTime now) {
  std::erase_if(parked, [&](const auto& entry) {
    if (entry.second.until > now) return false;
    cancel(entry.first);
    tasks.spawn(record_abandoned(*this, entry.second.call));
    return true;
  });
}

void Worker::prime_at(SteadyTime when) {
  if (std::exchange(priming_, true)) return;
  prime_timer_.expires_at(when);
  prime_timer_.async_wait([this](const boost::system::error_code& error) {
    priming_ = false;
    if (!error) prime();
  });
}

void Worker::prime() {
  const SteadyTime now = fleet.clock.steady();
  for (const Silent& call : silent) {
    if (!call.primed || call.stream == nullptr) continue;
    if (call.since + kPrimeAfter > now) return prime_at(call.since + kPrimeAfter);
    call.stream->start();
  }
}

void Worker::end_expired_listeners() {
  const WallTime now = fleet.clock.wall();
  for (const auto& listener : listeners) {
    if (listener->principal->expires_at <= now) listener->stream->close();
  }
}

void Worker::tick() {
  const SteadyTime now = fleet.clock.steady();
  if (now >= calls_end) end_calls();
  else if (calls_end != SteadyTime::max()) close_quiet_streams();
  end_parked(now);
  end_expired_listeners();
  // A revocation list that ends takes with it what it let go on: new handshakes are refused.
  const std::size_t turns = tls == nullptr ? 0 : tls->list_turns();
  if (std::exchange(list_turns, turns) != turns) end_revoked();
  tell_of_shadow();
  const SteadyTime late = now - fleet.settings.keep_alive;
  for (const Silent& call : silent) {
    if (call.since > late) break;  // oldest first
    if (call.stream != nullptr) call.stream->start();
  }
}

}  // namespace sallyport
