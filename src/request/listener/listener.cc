#include "request/listener/listener.h"

#include <cstring>

#include "request/listener/bind.h"
#include "request/listener/peer_process.h"

namespace sallyport {
namespace {

using TcpAcceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using LocalAcceptor = asio::basic_socket_acceptor<asio::local::stream_protocol, Executor>;
using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using LocalSocket = asio::basic_stream_socket<asio::local::stream_protocol, Executor>;

constexpr std::chrono::milliseconds kAcceptPause{100};  // out of descriptors: let some be closed

IpAddress address_of(const asio::ip::tcp::endpoint& endpoint) {
  IpAddress out;
  out.v6 = endpoint.address().is_v6();
  if (out.v6) {
    std::ranges::copy(endpoint.address().to_v6().to_bytes(), out.bytes.begin());
  } else {
    std::ranges::copy(endpoint.address().to_v4().to_bytes(), out.bytes.begin());
  }
  return out.unmapped();
}

void add_one(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // one writer
}

}  // namespace

struct Listener::Impl {
  Impl(Executor e, ListenerSettings s, net::Handler handler, ConnectionLimits& l, net::DeadlineSweep& sweep)
      : executor(e),
        settings(std::move(s)),
        limits(l),
        context(settings.server, std::move(handler), sweep),
        arrivals(settings.arrival, sweep),
        group(
            e, settings.server.on_exception ? settings.server.on_exception : [](const char*) {}),
        tcp(e),
        local(e),
        pause(e) {}

  Task<void> accept_tcp();
  Task<void> accept_local();
  Task<void> serve(net::Stream stream, net::Peer peer, bool named);
  // False: the acceptor is closed.
  Task<bool> after_error(const boost::system::error_code& error, bool open);
  void take(net::Socket socket, net::Peer peer);

  Executor executor;
  ListenerSettings settings;
  ConnectionLimits& limits;
  net::ServerContext context;
  net::Arrivals arrivals;
  TaskGroup group;
  TcpAcceptor tcp;
  LocalAcceptor local;
  SteadyTimer pause;
  ListenerCounters counters;
  bool stopped = false;
};

std::atomic<std::uint64_t>& ConnectionLimits::slot(const IpAddress& address) noexcept {
  std::uint64_t key = 0;
  std::memcpy(&key, address.bytes.data(), address.v6 ? 8 : 4);  // an IPv6 customer owns a /64
  // Seeded by where this object lies, so that nobody picks addresses that share a victim's slot.
  key = (key ^ reinterpret_cast<std::uintptr_t>(this)) * 0x9e3779b97f4a7c15ULL;
  return by_address_[(key ^ (key >> 29U)) % by_address_.size()];
}

bool ConnectionLimits::admit_unnamed() noexcept {
  if (open_.fetch_add(1, std::memory_order_relaxed) < in_all_max_) return true;
  release_unnamed();
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

bool ConnectionLimits::name(const IpAddress& address) noexcept {
  auto& here = slot(address);
  if (here.fetch_add(1, std::memory_order_relaxed) < per_address_max_) return true;
  here.fetch_sub(1, std::memory_order_relaxed);
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

bool ConnectionLimits::admit(const IpAddress& address) noexcept {
  if (!admit_unnamed()) return false;
  if (name(address)) return true;
  release_unnamed();
  return false;
}

void ConnectionLimits::release_unnamed() noexcept { open_.fetch_sub(1, std::memory_order_relaxed); }

void ConnectionLimits::release(const IpAddress& address) noexcept {
  slot(address).fetch_sub(1, std::memory_order_relaxed);
  release_unnamed();
}

Listener::Listener(Executor executor, ListenerSettings settings, net::Handler handler, ConnectionLimits& limits,
                   net::DeadlineSweep& sweep)
    : impl_(std::make_unique<Impl>(executor, std::move(settings), std::move(handler), limits, sweep)) {}

Listener::~Listener() = default;

Result<void> Listener::bind() {
  auto& impl = *impl_;
  SP_TRY(const int tcp, bind_tcp(impl.settings));
  boost::system::error_code error;
  impl.tcp.assign(impl.settings.address.find(':') != std::string::npos ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), tcp,
                  error);
  if (error) return fail(Code::io, "listen: " + error.message());
  if (impl.settings.admin_socket.empty()) return {};
  SP_TRY(const int local, bind_local(impl.settings.admin_socket));
  impl.local.assign(asio::local::stream_protocol(), local, error);
  if (error) return fail(Code::io, "admin socket: " + error.message());
  return {};
}

std::uint16_t Listener::port() const noexcept {
  boost::system::error_code error;
  return impl_->tcp.local_endpoint(error).port();
}

void Listener::start() {
  impl_->group.spawn(impl_->accept_tcp());
  if (impl_->local.is_open()) impl_->group.spawn(impl_->accept_local());
}

Task<void> Listener::Impl::accept_tcp() {
  while (!stopped) {
    TcpSocket socket(executor);
    asio::ip::tcp::endpoint from;
    const auto [error] = co_await tcp.async_accept(socket, from, use_task_ec);
    if (error) {
      if (!co_await after_error(error, tcp.is_open())) co_return;
      continue;
    }
    boost::system::error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    net::Peer peer{.address = address_of(from), .port = from.port()};
    peer.ip = peer.address.text();
    take(net::Socket(std::move(socket)), std::move(peer));
  }
}

Task<void> Listener::Impl::accept_local() {
  while (!stopped) {
    LocalSocket socket(executor);
    const auto [error] = co_await local.async_accept(socket, use_task_ec);
    if (error) {
      if (!co_await after_error(error, local.is_open())) co_return;
      continue;
    }
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
      continue;  // unknown: not served
    // Tool servers have our uid, and without namespaces neither Landlock nor seccomp keeps them from this socket.
    if (descends_from(who.pid, ::getpid())) {
      add_one(counters.refused);
      continue;
    }
    take(net::Socket(std::move(socket)), {.ip = "local", .is_local_socket = true, .uid = who.uid, .pid = who.pid});
  }
}

Task<bool> Listener::Impl::after_error(const boost::system::error_code& error, bool open) {
  if (stopped || !open || error == asio::error::operation_aborted) co_return false;
  add_one(counters.accept_errors);
  pause.expires_after(kAcceptPause);
  co_await pause.async_wait(use_task_ec);
  co_return !stopped;
}

void Listener::Impl::take(net::Socket socket, net::Peer peer) {
  // Behind a proxy that names clients the proxy's own address counts for nothing; PROXY is asked of TCP alone.
  const bool named = peer.is_local_socket || !settings.arrival.proxy_protocol;
  if (!(named ? limits.admit(peer.address) : limits.admit_unnamed())) {
    add_one(counters.refused);
    return;  // closed without a word: an answer would cost more than it is worth
  }
  add_one(counters.accepted);
  group.spawn(serve(net::Stream(std::move(socket)), std::move(peer), named));
}

Task<void> Listener::Impl::serve(net::Stream stream, net::Peer peer, bool named) {
  struct Place {
    ConnectionLimits& limits;
    IpAddress address;
    bool named;
    ~Place() { named ? limits.release(address) : limits.release_unnamed(); }
  };
  Place place{limits, peer.address, named};
  if (!peer.is_local_socket && arrivals.asked_for()) {
    if (const auto failed = co_await arrivals.admit(stream, peer)) {
      if (settings.on_refused) settings.on_refused(peer, *failed);
      co_return stream.close();
    }
  }
  if (!named) {
    if (!limits.name(peer.address)) {
      add_one(counters.refused);
      co_return stream.close();
    }
    place.address = peer.address;
    place.named = true;
  }
  co_await net::serve_connection(std::move(stream), std::move(peer), context);
}

void Listener::use_tls(std::shared_ptr<const net::TlsServer> tls) { impl_->arrivals.use(std::move(tls)); }

void Listener::stop_accepting() {
  auto& impl = *impl_;
  if (std::exchange(impl.stopped, true)) return;
  boost::system::error_code ignored;
  impl.tcp.close(ignored);
  if (impl.local.is_open()) {
    impl.local.close(ignored);
    ::unlink(impl.settings.admin_socket.c_str());
  }
  impl.pause.cancel();
}

Task<void> Listener::drain(SteadyTime deadline) {
  stop_accepting();
  impl_->arrivals.cancel();
  impl_->context.begin_drain();
  SteadyTimer late(impl_->executor, deadline);
  const auto pending = std::make_shared<bool>(true);
  late.async_wait([pending, group = &impl_->group](const boost::system::error_code& error) {
    if (!error && *pending) group->cancel();
  });
  co_await impl_->group.join();
  *pending = false;
}

const ListenerCounters& Listener::counters() const noexcept { return impl_->counters; }
std::size_t Listener::connections() const noexcept { return impl_->context.connections(); }
std::uint64_t Listener::requests() const noexcept { return impl_->context.requests(); }

}  // namespace sallyport
