// The revisions of MCP that Sallyport speaks, on both sides (MCP, Versioning). Ordered by date, so that "at least
// 2025-06-18" is a comparison. Modern: 2026-07-28, without a session; legacy: all before it. Plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport {

enum class Revision : std::uint8_t { r2024_11_05, r2025_03_26, r2025_06_18, r2025_11_25, r2026_07_28 };

inline constexpr std::array<std::string_view, 5> kRevisionNames{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25",
                                                                "2026-07-28"};
inline constexpr Revision kLatestLegacy = Revision::r2025_11_25;
inline constexpr Revision kModern = Revision::r2026_07_28;

constexpr std::string_view revision_name(Revision revision) noexcept {
  return kRevisionNames[static_cast<std::size_t>(revision)];
}

constexpr bool is_modern(Revision revision) noexcept { return revision >= kModern; }

// Nothing for a text that names none of them.
constexpr std::optional<Revision> revision_from(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kRevisionNames.size(); ++i) {
    if (kRevisionNames[i] == name) return static_cast<Revision>(i);
  }
  return std::nullopt;
}

}  // namespace sallyport
