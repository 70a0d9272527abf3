// What the authorities of clients have revoked, for connections that are open when the list comes or ends: their handshakes are
// over, so they are asked for at each request, and streams once a second. The rule is that of handshakes (CRL_CHECK_ALL): each
// certificate of the chain needs a list of its issuer that is in force, and stands in none. Which list is whose goes by the
// issuer's name: of two authorities of one name, what either revoked counts. Read with the listener's other files, whose
// handshakes check the lists' signatures. Immutable; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "net/tls_pem.h"

namespace sallyport::net {

inline constexpr std::size_t kLinkBytes = 32;

// A certificate as revocation lists name it: 16 bytes of the SHA-256 of its issuer's name, 16 of that and its number. Errors:
// crypto, where the name cannot be written.
Result<std::string> revocation_link(const X509& certificate);

class Revocations {
 public:
  // None: nothing is revoked. Errors: config.
  static Result<Revocations> of(std::span<const CrlPtr> lists);

  // `links`: one or several of revocation_link(), one after the other. Whether a list names one of them.
  [[nodiscard]] bool contain(std::string_view links) const noexcept;
  // Whether each of them has a list of its issuer that has begun and not ended (RFC 5280 5.1.2.4, 5.1.2.5); true where there is none
  // at all.
  [[nodiscard]] bool cover(std::string_view links, WallTime now) const noexcept;
  // The same of all lists.
  [[nodiscard]] bool hold(WallTime now) const noexcept;
  // How many of their beginnings and ends are past: another number than before says that cover() may have changed.
  [[nodiscard]] std::size_t turns(WallTime now) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return revoked_.size(); }

 private:
  using Id = std::array<std::byte, kLinkBytes / 2>;
  struct List {
    Id issuer;
    WallTime from, until;
    [[nodiscard]] bool holds(WallTime now) const noexcept { return from <= now && now < until; }
  };
  [[nodiscard]] bool issuer_holds(const Id& issuer, WallTime now) const noexcept;

  std::vector<List> lists_;  // 200 at most
  std::vector<Id> revoked_;  // sorted, each once
};

}  // namespace sallyport::net
