// The keys that seal session tickets (RFC 5077, RFC 8446 4.6.1), our own and the same for all workers, so that a client
// resumes on whichever it meets. One set is immutable: it seals with its newest key and opens with the one before too;
// next() makes the set that follows. Random, in memory only: tickets die with the process. Any thread.
#pragma once

#include <memory>
#include <string_view>

#include "core/random.h"
#include "core/secret.h"

struct ssl_ctx_st;
struct ssl_st;

namespace sallyport::net {

class TicketKeys {
 public:
  static std::shared_ptr<const TicketKeys> fresh(Random& random);
  [[nodiscard]] std::shared_ptr<const TicketKeys> next(Random& random) const;

  // Name (16 bytes), AES-256 key (32), HMAC-SHA-256 key (32).
  [[nodiscard]] std::string_view sealing() const noexcept { return newest_.reveal(); }
  // Of a ticket's key name; empty: it is of no key that is kept.
  [[nodiscard]] std::string_view opening(std::string_view name) const noexcept;

 private:
  Secret newest_, former_;
};

// From now on sessions of `context` seal and open their tickets with what give_ticket_keys gave them. False: out of memory.
bool use_ticket_keys(ssl_ctx_st* context) noexcept;
bool give_ticket_keys(ssl_st* ssl, std::shared_ptr<const TicketKeys> keys) noexcept;

}  // namespace sallyport::net
