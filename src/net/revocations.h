// What the authorities of clients have revoked, for connections that are open when the list comes: their handshakes are over, so
// they are asked for at each request. Read with the listener's other files, whose handshakes check the lists' signatures.
// Immutable; any thread.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.h"
#include "core/result.h"

namespace sallyport::net {

class Revocations {
 public:
  // Each revocation list in `pem`; empty: none. Errors: config.
  static Result<Revocations> read(std::string_view pem);
  // As PeerCertificate has them: RFC 2253 text, lower-case hex.
  [[nodiscard]] bool contains(std::string_view issuer, std::string_view serial) const {
    return all_.contains(std::pair(issuer, serial));
  }
  // Whether each list has begun and not ended (RFC 5280 5.1.2.4, 5.1.2.5); true where there is none.
  [[nodiscard]] bool hold(WallTime now) const noexcept { return from_ <= now && now < until_; }
  [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }

 private:
  struct Less {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      return std::pair(std::string_view(a.first), std::string_view(a.second)) <
             std::pair(std::string_view(b.first), std::string_view(b.second));
    }
  };
  std::set<std::pair<std::string, std::string>, Less> all_;  // issuer, serial
  WallTime from_ = WallTime::min(), until_ = WallTime::max();
};

}  // namespace sallyport::net
