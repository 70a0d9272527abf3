#include "net/arrival.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "core/limit_address.h"
#include "net/proxy_protocol.h"

namespace sallyport::net {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(ArrivalFault::count_)> kNames{
    "closed",      "draining",  "timeout",   "untrusted_proxy",   "proxy_header", "plain_http", "too_many_handshakes",
    "certificate", "handshake", "tls_flood", "challenge_refused", "challenge"};

constexpr std::string_view kPlainAnswer =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 46\r\nConnection: close\r\n\r\n"
    "This port speaks HTTPS: write https://, please";
constexpr std::string_view kUnexpectedMessage("\x15\x03\x03\x00\x02\x02\x0a", 7);  // a fatal alert (RFC 8446 6.2)
constexpr std::size_t kHelloBytesUsual = 2048;
constexpr std::size_t kUnreadMax = 64U << 10;
constexpr std::chrono::milliseconds kRelayTime{3'000};  // an authority does its handshake and goes

// How many bytes wait, up to the size of `into`; they stay there. 0: the end, -1: an error.
ssize_t peek(Stream& stream, std::span<char> into) {
  return ::recv(stream.socket().native_handle(), into.data(), into.size(), MSG_PEEK | MSG_DONTWAIT);
}

}  // namespace

std::string_view arrival_fault_name(ArrivalFault fault) noexcept { return kNames[static_cast<std::size_t>(fault)]; }

class Arrivals::Deadline final : public DeadlineSweep::Entry {
 public:
  Deadline(Arrivals& owner, Stream& stream) : owner_(owner), stream_(stream) {
    place_ = owner_.waiting_.insert(owner_.waiting_.end(), &stream);
    set_deadline(owner_.sweep_.in(owner_.settings_.timeout));
    owner_.sweep_.add(*this);
  }
  ~Deadline() override { owner_.waiting_.erase(place_); }
  void expired() override {
    late_ = true;
    boost::system::error_code ignored;
    stream_.socket().cancel(ignored);
  }
  [[nodiscard]] bool late() const noexcept { return late_; }

 private:
  Arrivals& owner_;
  Stream& stream_;
  std::list<Stream*>::iterator place_;
  bool late_ = false;
};

Arrivals::Arrivals(ArrivalSettings settings, DeadlineSweep& sweep) : settings_(std::move(settings)), sweep_(sweep) {}

void Arrivals::cancel() {
  draining_ = true;
  boost::system::error_code ignored;
  for (Stream* const stream : waiting_) stream->socket().cancel(ignored);
  for (const auto& relay : relays_) {
    if (const auto there = relay.lock()) there->close();
  }
}

bool Arrivals::trusts(const IpAddress& address) const {
  return std::ranges::any_of(settings_.trusted_proxies, [&](const Cidr& c) { return c.contains(address); });
}

ArrivalFailure Arrivals::ended(const Deadline& deadline, std::string detail) const {
  if (draining_) return {ArrivalFault::draining, "the gateway ends"};
  if (deadline.late()) return {ArrivalFault::timeout, "nothing more came in time"};
  return {ArrivalFault::closed, std::move(detail)};
}

Task<std::optional<ArrivalFailure>> Arrivals::admit(Stream& stream, Peer& peer) {
  const Deadline deadline(*this, stream);
  if (draining_) co_return ended(deadline, {});
  // Of TCP's own peer: whom a PROXY header names is the proxy's word.
  if ((settings_.proxy_protocol || settings_.proxies_only) && !trusts(peer.address))
    co_return ArrivalFailure{ArrivalFault::untrusted_proxy, "not in listen.trusted_proxies"};
  if (settings_.proxy_protocol) {
    if (auto failed = co_await read_proxy_header(stream, peer, deadline)) co_return failed;
  }
  if (tls_ == nullptr) co_return std::nullopt;
  co_return co_await shake_hands(stream, peer, deadline);
}

// What is behind the header belongs to TLS or HTTP, and stays in the socket.
Task<std::optional<ArrivalFailure>> Arrivals::read_proxy_header(Stream& stream, Peer& peer, const Deadline& deadline) {
  ProxyHeaderReader reader;
  std::array<char, 512> bytes;
  while (reader.state() == ProxyHeaderReader::State::reading) {
    const auto [error] = co_await stream.socket().async_wait(Socket::wait_read, use_task_ec);
    if (error) co_return ended(deadline, "gone before its PROXY header");
    const ssize_t size = peek(stream, bytes);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (size <= 0) co_return ended(deadline, "gone before its PROXY header");
    const std::size_t used = reader.feed({bytes.data(), static_cast<std::size_t>(size)});
    const IoResult taken = stream.read_now(std::span(bytes).first(used));
    if (taken.bytes != used) co_return ended(deadline, "gone before its PROXY header");
  }
  if (reader.state() == ProxyHeaderReader::State::failed) {
    co_return ArrivalFailure{ArrivalFault::proxy_header, std::string(reader.why())};
  }
  const ProxySource& source = reader.source();
  if (source.own) co_return std::nullopt;
  peer.address = source.address.unmapped();
  peer.ip = peer.address.text();
  peer.port = source.port;
  peer.secure = source.tls;
  co_return std::nullopt;
}

Task<std::optional<ArrivalFailure>> Arrivals::shake_hands(Stream& stream, Peer& peer, const Deadline& deadline) {
  const auto [error] = co_await stream.socket().async_wait(Socket::wait_read, use_task_ec);
  std::array<char, 1> first{};
  if (error || peek(stream, first) <= 0) co_return ended(deadline, "gone without a word");
  if (first[0] >= 'A' && first[0] <= 'Z') {  // a method; a record of TLS begins with 20 to 23 (RFC 8446 5.1)
    (void)stream.try_write(kPlainAnswer);
    co_await say_goodbye(stream, deadline);
    co_return ArrivalFailure{ArrivalFault::plain_http, "HTTP without TLS"};
  }
  const HelloAim aim = co_await aim_of_hello(stream);
  if (draining_ || deadline.late()) co_return ended(deadline, {});
  if (aim == HelloAim::more)
    co_return ArrivalFailure{ArrivalFault::handshake, "gone before the end of its ClientHello"};
  if (aim == HelloAim::none) {
    (void)stream.try_write(kUnexpectedMessage);
    co_await say_goodbye(stream, deadline);
    co_return ArrivalFailure{ArrivalFault::handshake, "no ClientHello"};
  }
  const bool ours = peer.address.loopback() || trusts(peer.address);
  if (!ours && settings_.admit_handshake && !settings_.admit_handshake(peer.address)) {  // closed without a word
    co_return ArrivalFailure{ArrivalFault::too_many_handshakes, "over rate.tls_address or rate.tls_all"};
  }
  const std::uint16_t challenges = settings_.challenges == nullptr ? 0 : settings_.challenges->port();
  if (challenges != 0 && aim == HelloAim::challenge) {
    co_return hand_on(stream, challenges, ours ? std::string() : limit_address(peer.address.text()));
  }
  const auto tls =
      tls_;  // OpenSSL's callbacks point into it until the handshake has ended, whatever is reloaded meanwhile
  auto session = tls->session();
  if (!session) co_return ArrivalFailure{ArrivalFault::handshake, session.error().detail};
  if (co_await stream.accept_tls(std::move(*session))) {
    if (draining_ || deadline.late()) co_return ended(deadline, {});
    std::string detail = stream.accept_failure();
    if (stream.flooded()) co_return ArrivalFailure{ArrivalFault::tls_flood, std::move(detail)};
    const auto fault = stream.certificate_refused() ? ArrivalFault::certificate : ArrivalFault::handshake;
    if (const auto whose = refused_certificate_of(stream.ssl()); !whose.empty()) detail += ": " + whose;
    co_await say_goodbye(stream, deadline);
    co_return ArrivalFailure{fault, std::move(detail)};
  }
  auto certificate = peer_certificate_of(stream.ssl(), sweep_.clock().wall());
  if (!certificate) co_return ArrivalFailure{ArrivalFault::certificate, certificate.error().detail};
  peer.certificate = std::move(*certificate);
  peer.secure = true;
  co_return std::nullopt;
}

// It is looked at and stays in the socket; who waits for the rest of it holds no room meanwhile.
Task<HelloAim> Arrivals::aim_of_hello(Stream& stream) {
  const int fd = stream.socket().native_handle();
  HelloLook look{HelloAim::more, 0};
  for (std::size_t before = 0;;) {
    {
      std::string hello(std::max(look.needed, kHelloBytesUsual), '\0');
      const ssize_t size = peek(stream, hello);
      if (size <= 0) co_return HelloAim::more;
      look = look_at_hello(std::string_view(hello).substr(0, static_cast<std::size_t>(size)));
      if (look.aim != HelloAim::more || static_cast<std::size_t>(size) <= before) co_return look.aim;
      before = static_cast<std::size_t>(size);
    }
    const int enough = static_cast<int>(look.needed), one = 1;  // else the wait ends at once, for what is there already
    ::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &enough, sizeof enough);
    const auto [error] = co_await stream.socket().async_wait(Socket::wait_read, use_task_ec);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
    if (error) co_return HelloAim::more;
  }
}

ArrivalFailure Arrivals::hand_on(Stream& stream, std::uint16_t port, const std::string& who) {
  if (!listens_for_us(port)) {
    settings_.challenges->refuse();
    return {ArrivalFault::challenge_refused, "no ACME client of ours listens"};
  }
  if (!settings_.challenges->take(who))
    return {ArrivalFault::challenge_refused, "too many at once, of its address or of all"};
  auto relay = std::make_shared<ChallengeRelay>(std::move(stream.socket()), *settings_.challenges, who);
  std::erase_if(relays_, [](const auto& one) { return one.expired(); });
  relays_.push_back(relay);
  relay->start(port, std::min(settings_.timeout, kRelayTime));
  return {ArrivalFault::challenge, "handed on"};
}

// Closing with unread bytes would send a reset, which may overtake the answer or the alert (RFC 9112 9.6).
Task<void> Arrivals::say_goodbye(Stream& stream, const Deadline& deadline) {
  stream.finish_writing();
  std::array<char, 2048> bytes;
  for (std::size_t total = 0; total < kUnreadMax && !deadline.late() && !draining_;) {
    const IoResult read = co_await stream.read_when_ready(bytes);
    if (read.error) co_return;
    total += read.bytes;
  }
}

}  // namespace sallyport::net
