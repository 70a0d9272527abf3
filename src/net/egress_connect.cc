// Making a connection: resolve, let the guard judge every candidate, connect to a judged address and no other, TLS.
#include "net/egress_connection.h"
#include "net/tls_workshop.h"

namespace sallyport::net {
namespace {

constexpr std::size_t kCandidatesMax = 4;
using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;

IpAddress from_asio(const asio::ip::address& address) {
  IpAddress out;
  out.v6 = address.is_v6();
  if (out.v6) {
    std::ranges::copy(address.to_v6().to_bytes(), out.bytes.begin());
  } else {
    std::ranges::copy(address.to_v4().to_bytes(), out.bytes.begin());
  }
  return out;
}

asio::generic::stream_protocol::endpoint endpoint_of(const EgressTarget& target, const IpAddress& address) {
  if (!target.unix_path().empty()) return asio::local::stream_protocol::endpoint(target.unix_path());
  if (address.v6) return asio::ip::tcp::endpoint(asio::ip::address_v6(address.bytes), target.url().port);
  asio::ip::address_v4::bytes_type v4;
  std::copy_n(address.bytes.begin(), 4, v4.begin());
  return asio::ip::tcp::endpoint(asio::ip::address_v4(v4), target.url().port);
}

// getaddrinfo cannot be cancelled: the waiter leaves at the deadline, and the answer finds nobody.
struct Resolving final : DeadlineSweep::Entry {
  explicit Resolving(Executor executor) : resolver(executor), done(executor, SteadyTimer::time_point::max()) {}
  void expired() override { finish(); }
  void finish() {
    finished = true;
    done.cancel();
  }
  Resolver resolver;
  SteadyTimer done;
  bool finished = false;
  boost::system::error_code error = asio::error::timed_out;
  std::vector<IpAddress> addresses;
};

// Ends the entry's stay in the sweep, also when the waiting task is cancelled.
struct Leave {
  DeadlineSweep& sweep;
  DeadlineSweep::Entry& entry;
  ~Leave() { sweep.remove(entry); }
};

}  // namespace

Task<Result<std::vector<IpAddress>>> EgressClient::Impl::resolve(const EgressTarget& target, SteadyTime deadline) {
  if (target.url().address) co_return std::vector<IpAddress>{*target.url().address};
  auto state = std::make_shared<Resolving>(executor);
  sweep.add(*state);
  const Leave guard{sweep, *state};
  state->set_deadline(deadline);
  state->resolver.async_resolve(target.url().host, "",
                                [state](const boost::system::error_code& error, const Resolver::results_type& results) {
                                  state->error = error;
                                  for (const auto& entry : results)
                                    state->addresses.push_back(from_asio(entry.endpoint().address()));
                                  state->finish();
                                });
  if (!state->finished) co_await state->done.async_wait(use_task_ec);
  if (state->error == asio::error::timed_out) co_return fail(Code::upstream_timeout, "resolving took too long");
  if (state->error || state->addresses.empty())
    co_return fail(Code::upstream_unavailable, "cannot resolve " + target.url().host);
  co_return std::move(state->addresses);
}

Task<EgressClient::Impl::Connected> EgressClient::Impl::connect(const EgressTarget& target, SteadyTime deadline) {
  if (pool(target.key()).open >= options.connections_per_target)
    co_return fail(Code::limit, "connections to one target");
  if (!target.unix_path().empty()) co_return co_await connect_to(target, {}, deadline);
  SP_CO_TRY(const auto addresses, co_await resolve(target, std::min(deadline, sweep.in(options.connect_timeout))));
  // Every candidate has to pass: a name that also points inside is not half trusted.
  for (const auto& address : addresses) {
    const auto why = refusal(target.policy(), target.url().host, address);
    if (why.empty()) continue;
    co_return fail(Code::egress_refused, target.url().host + " is " + address.text() + ": " + std::string(why));
  }
  Connected connected = fail(Code::upstream_unavailable, "no address");
  for (std::size_t i = 0; i < addresses.size() && i < kCandidatesMax; ++i) {
    connected = co_await connect_to(target, addresses[i], deadline);
    if (connected || sweep.tick() >= deadline) break;
  }
  co_return connected;
}

Task<EgressClient::Impl::Connected> EgressClient::Impl::connect_to(const EgressTarget& target, const IpAddress& address,
                                                                   SteadyTime deadline) {
  const auto endpoint = endpoint_of(target, address);
  Socket socket(executor);
  boost::system::error_code error;
  socket.open(endpoint.protocol(), error);
  if (error) co_return fail(Code::upstream_unavailable, "socket: " + error.message());
  if (target.unix_path().empty()) socket.set_option(asio::ip::tcp::no_delay(true), error);
  auto connection = std::make_unique<EgressConnection>(Stream(std::move(socket)), address, pool(target.key()));
  connection->set_deadline(std::min(deadline, sweep.in(options.connect_timeout)));
  const auto failed = co_await connection->connect(endpoint);
  if (connection->timed_out()) co_return fail(Code::upstream_timeout, "connecting took too long");
  if (failed) co_return fail(Code::upstream_unavailable, "connect to " + target.place() + ": " + failed.message());
  if (target.url().tls) SP_CO_CHECK(co_await secure(*connection, target));
  co_return connection;
}

Task<Result<std::shared_ptr<const TlsClient>>> EgressClient::Impl::tls_client(const TlsTermsPtr& terms) {
  if (auto known = tls.find(terms)) co_return known;
  if (options.workshop == nullptr) co_return tls.of(terms);
  SP_CO_TRY(auto made, co_await options.workshop->client(terms, options.ca_file));
  tls.put(terms, made);
  co_return made;
}

Task<Result<void>> EgressClient::Impl::secure(EgressConnection& connection, const EgressTarget& target) {
  SP_CO_TRY(const auto client, co_await tls_client(target.tls()));  // held here: the cache may drop it meanwhile
  SP_CO_TRY(auto session, client->session(target.url()));
  if (const auto failed = co_await connection.handshake(std::move(session))) {
    if (connection.timed_out()) co_return fail(Code::upstream_timeout, "TLS handshake took too long");
    co_return fail(Code::upstream_unavailable, "TLS to " + target.place() + ": " + connection.tls_failure());
  }
  co_return Result<void>{};
}

}  // namespace sallyport::net
