#include "core/decision.h"

#include <array>

namespace sallyport {

std::string_view stage_name(Stage stage) noexcept {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(Stage::count_)> kNames{
      "listener", "http", "address_admission", "identity", "mcp", "authorization", "principal_admission", "validation",
      "upstream", "response_guard", "audit", "api"};
  const auto index = static_cast<std::size_t>(stage);
  return index < kNames.size() ? kNames[index] : "unknown";
}

}  // namespace sallyport
