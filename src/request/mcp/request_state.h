// The `requestState` that a client of 2026-07-28 carries between the rounds of one call (MCP, multi round-trip requests):
// sealed (AES-256-GCM, KeyStore purpose request_state) and bound to principal, scope, method, server, name and arguments, so
// that nobody reads it, and a retry by another, for another tool or with other arguments does not open it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"

namespace sallyport::mcp {

inline constexpr std::size_t kRequestStateBytesMax = 256U << 10;

struct RequestState {
  std::string life = {};  // of a parked call: which run of which worker holds it; empty: nothing is parked
  std::uint64_t call = 0;   // of a parked call
  std::string upstream = {};  // the tool server's own requestState, raw JSON string, exact; empty: it gave none
  std::string approval = {};  // of a call that people had to approve; empty: none
  std::uint32_t round = 0;  // of that call; 0: it waits for them
};

// What a state belongs to. The parts are written one after the other with their lengths.
struct StateBinding {
  std::string_view principal, scope, method, server, name, arguments;
};

// As a raw JSON string.
Result<std::string> seal_state(std::span<const std::byte> key, const RequestState& state, const StateBinding& binding,
                               WallTime expires, Random& random);
// `raw`: the JSON string that came. Errors: invalid_params, the same for all that is wrong with it.
Result<RequestState> open_state(std::span<const std::byte> key, std::string_view raw, const StateBinding& binding,
                                WallTime now);

}  // namespace sallyport::mcp
