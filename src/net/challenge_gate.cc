#include "net/challenge_gate.h"

#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

#include "core/asio.h"

namespace sallyport::net {
namespace {

constexpr std::size_t kBytesMax = 64U << 10;
constexpr std::size_t kRecordHead = 5, kMessageHead = 4;
constexpr std::string_view kProtocol = "acme-tls/1";
constexpr unsigned kHandshake = 22, kClientHello = 1, kAlpnExtension = 16;

// The parts of a ClientHello (RFC 8446 4.1.2); nothing where it is cut off.
class Parts {
 public:
  explicit Parts(std::string_view bytes) noexcept : rest_(bytes) {}
  std::optional<std::string_view> take(std::size_t size) noexcept {
    if (rest_.size() < size) return std::nullopt;
    const auto out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  std::optional<std::size_t> number(std::size_t bytes) noexcept {
    const auto text = take(bytes);
    if (!text) return std::nullopt;
    std::size_t out = 0;
    for (const char c : *text) out = out << 8U | static_cast<unsigned char>(c);
    return out;
  }
  // With its length in so many bytes before it.
  std::optional<std::string_view> vector(std::size_t length_bytes) noexcept {
    const auto size = number(length_bytes);
    return size ? take(*size) : std::nullopt;
  }
  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// RFC 8737 3: the list has that one protocol and no other.
bool is_ours(std::string_view extension) noexcept {
  Parts parts(extension);
  const auto list = parts.vector(2);
  if (!list || !parts.empty()) return false;
  Parts names(*list);
  const auto first = names.vector(1);
  return first == kProtocol && names.empty();
}

// One message of a handshake, whole (RFC 8446 4.1.2; extensions may be left out in TLS 1.2).
HelloAim aim_of(std::string_view message, bool one_record) noexcept {
  Parts hello(message);
  if (hello.number(1) != kClientHello) return HelloAim::none;
  const auto body = hello.vector(3);
  if (!body) return HelloAim::none;
  Parts parts(*body);
  if (!parts.take(2 + 32) || !parts.vector(1) || !parts.vector(2) || !parts.vector(1)) return HelloAim::none;
  const auto extensions = parts.vector(2);
  if (!extensions || !one_record || !hello.empty()) return HelloAim::other;
  Parts each(*extensions);
  while (!each.empty()) {
    const auto kind = each.number(2);
    const auto content = each.vector(2);
    if (!kind || !content) return HelloAim::other;
    if (*kind == kAlpnExtension) return is_ours(*content) ? HelloAim::challenge : HelloAim::other;
  }
  return HelloAim::other;
}

}  // namespace

bool ChallengeGate::take(const std::string& who) {
  const std::lock_guard lock(mutex_);
  const auto theirs = by_address_.find(who);
  if (taken_ >= kMost || (theirs != by_address_.end() && !who.empty() && theirs->second >= kMostOfOne)) {
    ++refused_;
    return false;
  }
  ++taken_;
  ++by_address_[who];
  ++passed_;
  return true;
}

void ChallengeGate::give_back(const std::string& who) {
  const std::lock_guard lock(mutex_);
  --taken_;
  if (const auto theirs = by_address_.find(who); theirs != by_address_.end() && --theirs->second == 0)
    by_address_.erase(theirs);
}

// RFC 8446 5.1: a message may come in several records, none of them empty.
HelloLook look_at_hello(std::string_view bytes) {
  std::string message;
  std::size_t at = 0, whole = kMessageHead;
  while (message.size() < whole) {
    const bool head = bytes.size() >= at + kRecordHead;
    if ((head || (at == 0 && !bytes.empty())) && static_cast<unsigned char>(bytes[at]) != kHandshake) return {};
    if (!head) return {HelloAim::more, at + kRecordHead};
    Parts record(bytes.substr(at + 3));
    const std::size_t size = record.number(2).value_or(0);
    at += kRecordHead + size;
    if (size == 0 || at + kRecordHead > kHelloBytesMax) return {};
    const auto part = record.take(size);
    if (!part) return {HelloAim::more, at};
    message += *part;
    if (static_cast<unsigned char>(message[0]) != kClientHello) return {};
    if (message.size() >= kMessageHead)
      whole = kMessageHead + Parts(std::string_view(message).substr(1)).number(3).value_or(0);
  }
  return {aim_of(message, at == kRecordHead + message.size()), 0};
}

// The kernel lists those that listen before all others.
bool listens_for_us(std::uint16_t port) {
  constexpr int kLinesMax = 10'000;
  std::array<char, 16> wanted{};
  std::snprintf(wanted.data(), wanted.size(), "%08X:%04X", htonl(INADDR_LOOPBACK), unsigned{port});
  std::ifstream table("/proc/net/tcp");
  std::string line;
  std::getline(table, line);  // the columns' names
  for (int count = 0; count < kLinesMax && std::getline(table, line); ++count) {
    std::istringstream fields(line);
    std::string slot, local, remote, state, queues, timer, retransmitted;
    uid_t uid = 0;
    if (!(fields >> slot >> local >> remote >> state >> queues >> timer >> retransmitted >> uid)) return false;
    if (state == "0A" && local == wanted.data()) return uid == ::geteuid();
  }
  return false;
}

struct ChallengeRelay::Way {
  Socket& from;
  Socket& to;
  std::array<char, 4096> bytes{};
  std::size_t total = 0;
};

ChallengeRelay::ChallengeRelay(Socket client, ChallengeGate& gate, std::string who)
    : client_(std::move(client)),
      inside_(client_.get_executor()),
      late_(client_.get_executor()),
      gate_(gate),
      who_(std::move(who)) {}

void ChallengeRelay::start(std::uint16_t port, std::chrono::milliseconds limit) {
  const auto self = shared_from_this();
  late_.expires_after(limit);
  late_.async_wait([self](const boost::system::error_code& error) {
    if (!error) self->close();
  });
  const asio::ip::tcp::endpoint there(asio::ip::address_v4::loopback(), port);
  inside_.async_connect(there, [self](const boost::system::error_code& error) {
    if (error) return self->close();
    self->carry(std::make_shared<Way>(self->client_, self->inside_));
    self->carry(std::make_shared<Way>(self->inside_, self->client_));
  });
}

void ChallengeRelay::carry(std::shared_ptr<Way> way) {
  const auto self = shared_from_this();
  way->from.async_read_some(asio::buffer(way->bytes),
                            [self, way](const boost::system::error_code& error, std::size_t size) {
                              if (error == asio::error::eof) return self->end(way->to);
                              if (error || (way->total += size) > kBytesMax) return self->close();
                              asio::async_write(way->to, asio::buffer(way->bytes.data(), size),
                                                [self, way](const boost::system::error_code& failed, std::size_t) {
                                                  if (failed) self->close();
                                                  else self->carry(way);
                                                });
                            });
}

void ChallengeRelay::end(Socket& to) noexcept {
  boost::system::error_code ignored;
  to.shutdown(Socket::shutdown_send, ignored);
  if (++ended_ == 2) close();
}

void ChallengeRelay::close() noexcept {
  boost::system::error_code ignored;
  late_.cancel();
  client_.close(ignored);
  inside_.close(ignored);
}

}  // namespace sallyport::net
