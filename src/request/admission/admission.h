// How much a caller may do: a token bucket by address before identity, then by principal, class and tool after
// authorization (rulings C4, C5). A thin stage over engines/rate, whose table all workers share. Any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/rate/limiter.h"
#include "model/snapshot.h"

namespace sallyport {

class Admission {
 public:
  explicit Admission(rate::Limiter& limiter) : limiter_(limiter) {}

  // Before identity: class "address", by limit_address (IPv6 by /64).
  rate::Verdict address(const Limits& limits, std::string_view ip, SteadyTime now) const;
  // Before a TLS handshake: class "tls_address" by limit_address, then "tls_all" of all.
  bool handshake(const Limits& limits, std::string_view ip, SteadyTime now) const;
  // A request without a principal: `limit_class` ("public", "login") for its address, by limit_address.
  rate::Verdict stranger(const Limits& limits, std::string_view limit_class, std::string_view ip, SteadyTime now) const;
  // After authorization: `limit_class` for the principal ("mcp", "read", "write", ...), then "tool" for principal and
  // tool where `tool_id` ("server/tool") is not empty. The stricter of the two verdicts.
  rate::Verdict principal(const Limits& limits, std::string_view limit_class, std::string_view principal_id,
                          std::string_view tool_id, SteadyTime now) const;

  // The obligation `calls_per_minute` of a policy: this principal's calls of this tool, or of this server as a whole,
  // in any 60 seconds.
  rate::Verdict obliged(std::uint32_t calls_per_minute, std::string_view principal_id, std::string_view what,
                        SteadyTime now) const;

 private:
  rate::Verdict take(const Limits& limits, std::string_view name, std::string_view key, SteadyTime now) const;
  rate::Limiter& limiter_;
};

// X-RateLimit-Limit, -Remaining, -Reset (S0-26: epoch seconds, S1-28), and Retry-After where refused (C5). Each is told as
// (name, value); the value is gone after the call.
void tell_rate_headers(const rate::Verdict& verdict, WallTime now,
                       const std::function<void(std::string_view, std::string_view)>& header);
std::vector<std::pair<std::string, std::string>> rate_headers(const rate::Verdict& verdict, WallTime now);
// S1-29, with the true number of seconds.
std::string rate_body(const rate::Verdict& verdict);

}  // namespace sallyport
