// What a session shall hear of outside any call: for Session::watch. Plain value.
#pragma once

#include <set>
#include <string>

namespace sallyport::upstream {

struct Interest {
  bool tools = false;  // notifications/tools/list_changed
  bool prompts = false;
  bool resources = false;
  std::set<std::string> uris;  // notifications/resources/updated; as the server names them

  [[nodiscard]] bool empty() const noexcept { return !tools && !prompts && !resources && uris.empty(); }
  bool operator==(const Interest&) const = default;
};

}  // namespace sallyport::upstream
