#include "request/admission/admission.h"

#include <charconv>
#include <concepts>

#include "core/error.h"
#include "core/limit_address.h"

namespace sallyport {

rate::Verdict Admission::take(const Limits& limits, std::string_view name, std::string_view key, SteadyTime now) const {
  auto found = limits.classes.find(name);
  if (found == limits.classes.end()) found = limits.classes.find("default");
  static constexpr LimitClass kFallback{};  // 100 a minute (S0-25): no class is ever without a limit
  return limiter_.take(name, found == limits.classes.end() ? kFallback : found->second, key, now);
}

rate::Verdict Admission::address(const Limits& limits, std::string_view ip, SteadyTime now) const {
  return take(limits, "address", limit_address(ip), now);
}

bool Admission::handshake(const Limits& limits, std::string_view ip, SteadyTime now) const {
  return take(limits, "tls_address", limit_address(ip), now).allow && take(limits, "tls_all", {}, now).allow;
}

rate::Verdict Admission::stranger(const Limits& limits, std::string_view limit_class, std::string_view ip,
                                  SteadyTime now) const {
  return take(limits, limit_class, limit_address(ip), now);
}

rate::Verdict Admission::principal(const Limits& limits, std::string_view limit_class, std::string_view principal_id,
                                   std::string_view tool_id, SteadyTime now) const {
  const rate::Verdict whole = take(limits, limit_class, principal_id, now);
  if (!whole.allow || tool_id.empty()) return whole;
  std::string key;
  key.reserve(principal_id.size() + tool_id.size() + 1);
  key.append(principal_id).append(" ").append(tool_id);
  const rate::Verdict one = take(limits, "tool", key, now);
  return !one.allow || one.remaining < whole.remaining ? one : whole;
}

rate::Verdict Admission::obliged(std::uint32_t calls_per_minute, std::string_view principal_id, std::string_view what,
                                 SteadyTime now) const {
  const std::string key = std::string(principal_id) + " " + std::string(what);
  return limiter_.minutes().take(calls_per_minute, key, now);
}

void tell_rate_headers(const rate::Verdict& verdict, WallTime now,
                       const std::function<void(std::string_view, std::string_view)>& header) {
  const auto tell = [&header](std::string_view name, std::integral auto number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    header(name, std::string_view(digits, end));
  };
  tell("X-RateLimit-Limit", verdict.limit);
  tell("X-RateLimit-Remaining", verdict.remaining);
  tell("X-RateLimit-Reset",
       std::chrono::ceil<std::chrono::seconds>(now + verdict.reset_after).time_since_epoch().count());
  if (!verdict.allow) tell("Retry-After", verdict.retry_after.count());
}

std::vector<std::pair<std::string, std::string>> rate_headers(const rate::Verdict& verdict, WallTime now) {
  std::vector<std::pair<std::string, std::string>> headers;
  tell_rate_headers(verdict, now,
                    [&headers](std::string_view name, std::string_view value) { headers.emplace_back(name, value); });
  return headers;
}

std::string rate_body(const rate::Verdict& verdict) {
  return R"({"detail":")" + std::string(info(Code::rate_limited).public_text) + R"(","retry_after":)" +
         std::to_string(verdict.retry_after.count()) + "}";
}

}  // namespace sallyport
