#include "request/pipeline/negotiate.h"

#include <string>

namespace sallyport {

bool accepts(const net::RequestHead& head, std::string_view type) {
  const auto accept = head.find("Accept");
  if (!accept) return true;  // absent: anything goes
  const std::string family = std::string(type.substr(0, type.find('/'))) + "/*";
  return accept->find(type) != std::string_view::npos || accept->find("*/*") != std::string_view::npos ||
         accept->find(family) != std::string_view::npos;
}

bool is_json(const net::RequestHead& head) {
  const auto type = head.find("Content-Type");
  if (!type) return false;
  auto essence = type->substr(0, type->find(';'));
  while (!essence.empty() && essence.back() == ' ') essence.remove_suffix(1);
  return net::equals_ignoring_case(essence, "application/json");
}

Result<void> check_post(const net::RequestHead& head) {
  if (!is_json(head)) return fail(Code::unsupported_media, "Content-Type is not application/json");
  if (!accepts(head, "application/json") || !accepts(head, "text/event-stream")) {
    return fail(Code::not_acceptable, "Accept must list application/json and text/event-stream");
  }
  return {};
}

bool starts_array(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && body[first] == '[';
}

Result<void> no_batches() { return fail(Code::invalid_request, "a batch array: MCP 2025-03-26 alone has them"); }

std::optional<std::string_view> session_of_query(std::string_view query) {
  constexpr std::string_view kName = "sessionId=";
  std::optional<std::string_view> found;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (!pair.starts_with(kName)) continue;
    if (found) return std::nullopt;
    found = pair.substr(kName.size());
  }
  return found;
}

}  // namespace sallyport
