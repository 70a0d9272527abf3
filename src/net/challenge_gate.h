// tls-alpn-01 (RFC 8737) at the gateway's own TLS port. While an ACME client of ours waits for the authority, a connection whose
// ClientHello offers the one protocol acme-tls/1 goes byte for byte to that client's listener on loopback, and nowhere else;
// nothing of it is read here. Closed, which it is but for the seconds of an order, such a connection is met as any other. One a
// gateway, owned by app, outlives the workers; any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "net/stream.h"

namespace sallyport::net {

class ChallengeGate {
 public:
  // At once: an authority comes from several places, once or twice from each. Whoever holds theirs open keeps nobody else out.
  static constexpr int kMost = 64, kMostOfOne = 2;
  void open(std::uint16_t port) noexcept { port_ = port; }
  void close() noexcept { port_ = 0; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }  // 0: closed
  // False: there are kMost already, or kMostOfOne of `who` (limit_address; empty: of many, a proxy). Each that is taken is given back.
  bool take(const std::string& who);
  void give_back(const std::string& who);
  void refuse() noexcept { ++refused_; }
  [[nodiscard]] std::uint64_t passed() const noexcept { return passed_; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

 private:
  std::atomic<std::uint16_t> port_{0};
  std::mutex mutex_;
  int taken_ = 0;
  std::map<std::string, int> by_address_;
  std::atomic<std::uint64_t> passed_{0}, refused_{0};
};

// more: not whole yet; none: no ClientHello, or one that is longer than any client's.
enum class HelloAim : std::uint8_t { more, none, other, challenge };
struct HelloLook {
  HelloAim aim = HelloAim::none;
  std::size_t needed = 0;  // more: so many bytes from the first on say it
};
inline constexpr std::size_t kHelloBytesMax = 16384;
// What the first bytes of a connection want. A ClientHello in several records is no challenge.
[[nodiscard]] HelloLook look_at_hello(std::string_view bytes);

// Whether it is a process of this user that listens at 127.0.0.1:`port` (proc(5): /proc/net/tcp). Between two names of an order the
// ACME client's listener is gone for a moment; whoever of this machine took its port then would answer the authority, and could get
// a certificate of ours by an order of their own. False too where it cannot be known.
[[nodiscard]] bool listens_for_us(std::uint16_t port);

// Carries bytes between `client` and 127.0.0.1:`port` until both have ended, 64 KiB have gone one way, or the time is over. It
// holds itself while operations are under way; the gate has been taken for it by `who`. That worker's thread only.
class ChallengeRelay : public std::enable_shared_from_this<ChallengeRelay> {
 public:
  ChallengeRelay(Socket client, ChallengeGate& gate, std::string who);
  ChallengeRelay(const ChallengeRelay&) = delete;
  ChallengeRelay& operator=(const ChallengeRelay&) = delete;
  ~ChallengeRelay() { gate_.give_back(who_); }
  void start(std::uint16_t port, std::chrono::milliseconds limit);
  void close() noexcept;

 private:
  struct Way;
  void carry(std::shared_ptr<Way> way);
  void end(Socket& to) noexcept;

  Socket client_, inside_;
  SteadyTimer late_;
  ChallengeGate& gate_;
  std::string who_;
  int ended_ = 0;
};

}  // namespace sallyport::net
