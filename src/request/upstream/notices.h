// The notifications of a server that we pass on, by name; any other is dropped.
#pragma once

#include <string_view>

namespace sallyport::upstream {

inline constexpr std::string_view kProgress = "notifications/progress";
inline constexpr std::string_view kLogMessage = "notifications/message";
inline constexpr std::string_view kCancelled = "notifications/cancelled";  // of a server: it takes its request back

inline bool is_notice(std::string_view method) noexcept {
  return method == kLogMessage || method == "notifications/tools/list_changed" ||
         method == "notifications/prompts/list_changed" || method == "notifications/resources/list_changed" ||
         method == "notifications/resources/updated";
}

}  // namespace sallyport::upstream
