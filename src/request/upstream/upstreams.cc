#include "request/upstream/upstreams.h"

#include <algorithm>
#include <set>

#include "request/upstream/backoff.h"
#include "request/upstream/breakers.h"
#include "request/upstream/era_cache.h"

namespace sallyport::upstream {
namespace {

// A shorter rest than this is waited out instead of refused: a crash loses the calls in flight and no other.
constexpr std::chrono::milliseconds kPatience{1'500};

bool same_launch(const ServerRecord& a, const ServerRecord& b) {
  return a.transport == b.transport && a.command == b.command && a.working_directory == b.working_directory &&
         a.env == b.env && a.paths == b.paths && a.network == b.network && a.url == b.url && a.headers == b.headers &&
         a.query == b.query && a.files == b.files && a.allow_private == b.allow_private && a.tls == b.tls &&
         a.result_bytes_max == b.result_bytes_max &&
         a.forwards == b.forwards;  // declared to the server when the session opens
}

}  // namespace

struct Upstreams::Entry {
  Entry(Key k, ServerPtr s) : key(std::move(k)), server(std::move(s)) {}
  Key key;
  ServerPtr server;
  SessionPtr session;  // open, or being opened while `opening`
  bool opening = false;
  std::optional<Error> error;  // why the last opening failed, or why the entry was ended
  bool ended = false;          // no longer in the table: what comes out of an opening is closed
  bool own_listener = false;
  Listener listener;
  unsigned failures = 0;  // in a row, without an answered call between
  SteadyTime not_before{};
  std::set<SteadyTimer*> waiting;  // for the opening, each until its own deadline; cancelled when it ends
};

// Stands among those who wait for an opening while it lives.
class Upstreams::Waiter {
 public:
  Waiter(Executor executor, EntryPtr entry, std::chrono::nanoseconds time)
      : timer(executor, std::min<std::chrono::nanoseconds>(time, std::chrono::hours(24))), entry_(std::move(entry)) {
    entry_->waiting.insert(&timer);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { entry_->waiting.erase(&timer); }
  SteadyTimer timer;

 private:
  EntryPtr entry_;
};

Upstreams::Upstreams(Executor executor, Deps deps, Settings settings)
    : executor_(executor),
      deps_(std::move(deps)),
      settings_(settings),
      tasks_(executor, [this](const char* what) { deps_.say("", "exception", what); }),
      sweep_timer_(executor) {}

Upstreams::~Upstreams() = default;

std::size_t Upstreams::size() const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(entries_, [](const auto& e) { return e.second->session != nullptr || e.second->opening; }));
}

Task<Result<SessionPtr>> Upstreams::session(ServerPtr server, std::string principal, SteadyTime deadline) {
  if (stopping_) co_return fail(Code::draining, "upstreams are stopping");
  const Key key{server->name, server->shared ? std::string() : std::move(principal)};
  const EntryPtr entry = entry_for(server, key);
  if (!entry->opening && entry->session) {
    if (entry->session->alive()) co_return entry->session;
    retire(*entry);
  }
  if (!entry->opening) {
    SP_CO_CHECK(may_open(*entry));
    SP_CO_CHECK(make_room(key));
    start(entry);
  }
  co_return co_await wait_for(entry, deadline);
}

SessionPtr Upstreams::find(std::string_view server, std::string_view principal) const {
  for (const auto& owner : {std::string(principal), std::string()}) {
    const auto found = entries_.find(Key{server, owner});
    if (found != entries_.end() && !found->second->opening && found->second->session) return found->second->session;
  }
  return nullptr;
}

Upstreams::EntryPtr Upstreams::entry_for(const ServerPtr& server, const Key& key) {
  auto& entry = entries_[key];
  if (entry && entry->server != server) {
    if (same_launch(*entry->server, *server)) entry->server = server;
    else end(EntryPtr(entry), Error{Code::cancelled, "the server's record changed"});
  }
  auto& place = entries_[key];  // end() takes the old one out
  if (!place) place = std::make_shared<Entry>(key, server);
  return place;
}

Result<void> Upstreams::may_open(const Entry& entry) {
  const SteadyTime now = deps_.clock.steady();
  if (deps_.breakers != nullptr && deps_.breakers->of(entry.key.first)->open(now))
    return fail(Code::breaker_open, "the breaker of " + entry.key.first + " is open");
  if (entry.not_before > now + kPatience)
    return fail(Code::upstream_unavailable, entry.key.first + " rests after " + std::to_string(entry.failures) +
                                                " failures: " + (entry.error ? entry.error->detail : std::string()));
  return {};
}

Result<void> Upstreams::make_room(const Key& key) {
  const auto used = [&](auto&& matches) {
    return static_cast<std::size_t>(std::ranges::count_if(
        entries_, [&](const auto& e) { return (e.second->session || e.second->opening) && matches(e.first); }));
  };
  const auto of_principal = [&](const Key& k) { return !k.second.empty() && k.second == key.second; };
  const auto of_server = [&](const Key& k) { return k.first == key.first; };
  const auto any = [](const Key&) { return true; };
  if (used(of_principal) >= settings_.sessions_per_principal && !free_one(of_principal))
    return fail(Code::limit, "sessions of one principal");
  if (used(of_server) >= settings_.sessions_per_server && !free_one(of_server))
    return fail(Code::limit, "sessions with one server");
  if (used(any) >= settings_.sessions_max && !free_one(any)) return fail(Code::limit, "upstream sessions in all");
  return {};
}

// Ends the session that was idle longest among those that match; false where all of them are at work.
bool Upstreams::free_one(const std::function<bool(const Key&)>& matches) {
  EntryPtr oldest;
  for (const auto& [key, entry] : entries_) {
    if (!matches(key) || entry->opening || !entry->session || entry->session->in_flight() > 0) continue;
    if (!oldest || entry->session->last_used() < oldest->session->last_used()) oldest = entry;
  }
  if (oldest) end(oldest, Error{Code::cancelled, "closed to make room"});
  return oldest != nullptr;
}

void Upstreams::start(const EntryPtr& entry) {
  entry->opening = true;
  entry->error.reset();
  if (!sweeping_) {
    sweeping_ = true;
    tasks_.spawn(sweep());
  }
  tasks_.spawn(open(entry));
}

// Who has no time left goes; the opening goes on for the next.
Task<Result<SessionPtr>> Upstreams::wait_for(EntryPtr entry, SteadyTime deadline) {
  Waiter waiter(executor_, entry, deadline - deps_.clock.steady());
  while (entry->opening) {
    const auto [woken] = co_await waiter.timer.async_wait(use_task_ec);
    if (!woken) co_return fail(Code::upstream_timeout, entry->key.first + " did not start within the time of the call");
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
      co_return fail(Code::cancelled, "cancelled while the server started");
  }
  if (entry->session && !entry->ended) co_return entry->session;
  co_return fail(entry->error.value_or(Error{Code::upstream_unavailable, "the session was ended while it opened"}));
}

Task<void> Upstreams::open(EntryPtr entry) {
  const SteadyTime now = deps_.clock.steady();
  if (entry->not_before > now) {
    SteadyTimer rest(executor_, std::chrono::nanoseconds(entry->not_before - now));
    co_await rest.async_wait(use_task_ec);
  }
  if (!entry->ended) {
    entry->session = make_session(entry);
    if (auto connected = co_await connect(*entry); !connected) {
      const SessionPtr session = std::exchange(entry->session, nullptr);
      if (!entry->ended) {
        entry->error = connected.error();
        note_failure(*entry);
      }
      session->abandon(connected.error());
      tasks_.spawn(close(session));
    } else if (entry->ended) {
      tasks_.spawn(close(std::exchange(entry->session, nullptr)));
    }
  }
  entry->opening = false;
  for (SteadyTimer* timer : entry->waiting) timer->cancel();
}

Task<Result<void>> Upstreams::connect(Entry& entry) {
  auto breaker = deps_.breakers != nullptr ? deps_.breakers->of(entry.key.first) : nullptr;
  Breaker::Admission admission{.allow = true};
  const SteadyTime began = deps_.clock.steady();
  if (breaker) admission = breaker->admit(began);
  if (!admission.allow) co_return fail(Code::breaker_open, "the breaker of " + entry.key.first + " is open");
  auto opened = co_await entry.session->open(began + entry.server->start_timeout);
  if (breaker) breaker->report(admission, opened.has_value(), began, deps_.clock.steady());
  co_return opened;
}

SessionPtr Upstreams::make_session(const EntryPtr& entry) {
  const ServerPtr& server = entry->server;
  Unsolicited unsolicited = [this, weak = std::weak_ptr(entry)](std::string_view method, std::string_view params) {
    const auto from = weak.lock();
    if (!from || from->ended) return;
    const Listener& listener = from->own_listener ? from->listener : listener_;
    if (listener) listener(Notice{from->key.first, from->key.second, method, params});
  };
  auto breaker = deps_.breakers != nullptr ? deps_.breakers->of(server->name) : nullptr;
  auto session = std::make_shared<Session>(executor_, deps_, settings_, server, entry->key.second,
                                           std::move(unsolicited), std::move(breaker));
  watched_.push_back(session);
  return session;
}

void Upstreams::note_failure(Entry& entry) {
  ++entry.failures;
  entry.not_before = deps_.clock.steady() + backoff(settings_, entry.failures, deps_.random);
}

// A session that ended by itself: the next use opens another, after a rest that grows.
void Upstreams::retire(Entry& entry) {
  const SessionPtr session = std::exchange(entry.session, nullptr);
  if (session->answered() > 0) entry.failures = 0;
  if (session->failed()) note_failure(entry);
  ++restarts_;
  tasks_.spawn(close(session));
}

void Upstreams::end(const EntryPtr& entry, const Error& why) {
  entry->ended = true;
  entry->error = why;
  if (entry->session) {
    entry->session->abandon(why);
    if (!entry->opening) tasks_.spawn(close(entry->session));
  }
  if (const auto place = entries_.find(entry->key); place != entries_.end() && place->second == entry)
    entries_.erase(place);
}

Task<void> Upstreams::close(SessionPtr session) { co_await session->close(); }

void Upstreams::end_principal(std::string_view principal) {
  std::vector<EntryPtr> its;
  for (const auto& [key, entry] : entries_)
    if (!key.second.empty() && key.second == principal) its.push_back(entry);
  for (const auto& entry : its) end(entry, Error{Code::cancelled, "the principal was revoked"});
}

void Upstreams::end_server(std::string_view server) {
  std::vector<EntryPtr> its;
  for (const auto& [key, entry] : entries_)
    if (key.first == server) its.push_back(entry);
  for (const auto& entry : its) end(entry, Error{Code::cancelled, "the server was ended by an operator"});
  if (deps_.breakers != nullptr) deps_.breakers->forget(server);
  if (deps_.eras != nullptr) deps_.eras->forget(server);
}

void Upstreams::renew(std::string_view server, bool now,
                      const std::function<bool(const std::string& principal)>& matches) {
  std::vector<EntryPtr> its;
  for (const auto& [key, entry] : entries_)
    if (key.first == server && matches(key.second)) its.push_back(entry);
  for (const auto& entry : its) {
    const bool busy = !now && !entry->opening && entry->session && entry->session->in_flight() > 0;
    if (!busy) {
      end(entry, Error{Code::cancelled, "a secret of the server changed"});
      continue;
    }
    entries_.erase(entry->key);  // the next use opens another
    leaving_.push_back(entry);
  }
}

void Upstreams::close_leaving() {
  std::erase_if(leaving_, [this](const EntryPtr& entry) {
    if (entry->session->in_flight() > 0 && !stopping_) return false;
    end(entry, Error{Code::cancelled, "a secret of the server changed"});
    return true;
  });
}

Task<Result<SessionPtr>> Upstreams::open_private(ServerPtr server, Listener listener) {
  if (stopping_) co_return fail(Code::draining, "upstreams are stopping");
  auto entry = std::make_shared<Entry>(Key{server->name, {}}, server);
  entry->own_listener = true;
  entry->listener = std::move(listener);
  start(entry);
  auto session = co_await wait_for(entry, SteadyTime::max());
  if (session) {
    private_.push_back(std::move(entry));  // keeps the listener until the session is given back
    co_return session;
  }
  entry->ended = true;  // cancelled: what still opens is closed by open()
  if (!entry->opening && entry->session) tasks_.spawn(close(std::exchange(entry->session, nullptr)));
  co_return session;
}

void Upstreams::close_private(SessionPtr session) {
  session->abandon(Error{Code::cancelled, "closed"});
  std::erase_if(private_, [&](const EntryPtr& entry) { return entry->session == session; });
  tasks_.spawn(close(std::move(session)));
}

Task<void> Upstreams::stop() {
  stopping_ = true;
  std::vector<EntryPtr> all;
  for (const auto& [key, entry] : entries_) all.push_back(entry);
  for (const auto& entry : all) end(entry, Error{Code::draining, "the gateway is shutting down"});
  for (const auto& weak : watched_)  // private ones and those still opening; their owners close them
    if (const auto session = weak.lock()) session->abandon(Error{Code::draining, "the gateway is shutting down"});
  close_leaving();
  sweep_timer_.cancel();
  co_await tasks_.join();
}

Task<void> Upstreams::sweep() {
  while (!stopping_) {
    sweep_timer_.expires_after(settings_.sweep_every);
    co_await sweep_timer_.async_wait(use_task_ec);
    sweep_once(deps_.clock.steady());
  }
}

void Upstreams::sweep_once(SteadyTime now) {
  std::erase_if(watched_, [](const auto& weak) { return weak.expired(); });
  for (const auto& weak : watched_)
    if (const auto session = weak.lock()) session->expire(now);
  close_leaving();
  std::vector<EntryPtr> idle;
  for (const auto& [key, entry] : entries_) {
    if (entry->opening) continue;
    if (entry->session && !entry->session->alive()) retire(*entry);
    const bool forgotten = !entry->session && entry->not_before + settings_.backoff_max < now;
    const bool unused = entry->session && entry->session->in_flight() == 0 && !entry->session->watching() &&
                        entry->session->last_used() + settings_.idle_after < now;
    if (forgotten || unused) idle.push_back(entry);
  }
  for (const auto& entry : idle) end(entry, Error{Code::cancelled, "idle"});
}

}  // namespace sallyport::upstream
