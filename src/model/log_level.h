// Severities of MCP logging (RFC 5424 6.2.1), which both ends of the gateway compare. Constants; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace sallyport {

// The weakest first.
inline constexpr std::array<std::string_view, 8> kLogLevels{"debug", "info",     "notice", "warning",
                                                            "error", "critical", "alert",  "emergency"};

// Index of `level`, or -1.
constexpr int log_level_index(std::string_view level) noexcept {
  const auto found = std::ranges::find(kLogLevels, level);
  return found == kLogLevels.end() ? -1 : static_cast<int>(found - kLogLevels.begin());
}

}  // namespace sallyport
