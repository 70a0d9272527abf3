// The input is a schema, arguments and a field value, a line each. Whatever they are: what is made agrees with its own
// arguments, has no line break, and comes back from its encoding.
#include <cstdlib>
#include <map>

#include "engines/mcp_header/mcp_header.h"
#include "json/document.h"

namespace {

std::string_view line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view out = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return out;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sallyport;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto params = mcp_header::read_schema(line(rest));
  if (!params.invalid.empty() && !params.params.empty()) std::abort();
  const auto arguments = json::read(line(rest));
  if (const auto value = mcp_header::decode(rest)) {
    const std::string sent = mcp_header::encode(*value);
    if (sent.find_first_of("\r\n") != std::string::npos || mcp_header::decode(sent) != *value) std::abort();
  }
  if (!arguments) return 0;
  std::map<std::string, std::string, std::less<>> headers;
  for (auto& [name, value] : mcp_header::make(params, arguments->text())) {
    if ((name + value).find_first_of("\r\n") != std::string::npos) std::abort();
    headers[lower(name)] = value;
  }
  const auto lookup = [&](std::string_view name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::vector<std::string_view>() : std::vector<std::string_view>{found->second};
  };
  if (!mcp_header::check(params, arguments->text(), lookup)) std::abort();
  return 0;
}
