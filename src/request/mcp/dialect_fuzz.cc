// The first two bytes choose the two revisions and what is shaped; the rest is a message of a hostile peer. Whatever passes
// a reader comes out as one readable text on one line, and shaping it once more changes nothing where nothing may change.
#include <cstdlib>

#include "json/document.h"
#include "request/mcp/dialect.h"

namespace {

using namespace sallyport;

constexpr std::string_view kDeclared =
    R"({"elicitation":{"form":{},"url":{}},"sampling":{"tools":{},"context":{}},"roots":{}})";

void readable(std::string_view text) {
  const auto read = json::read_upstream_document(text, {.bytes_max = 64U << 20});
  if (!read || !read->root().is_object() || read->text() != text) std::abort();
}

void results(mcp::Bridge bridge, mcp::Method method, std::string_view text) {
  const auto once = mcp::shape_result(bridge, method, text);
  if (!once) return;
  readable(*once);
  const auto twice = mcp::shape_result({bridge.client, bridge.client}, method, *once);
  if (!twice) std::abort();
  const bool modern_read = is_modern(bridge.client) && method == mcp::Method::resources_read;
  if (*twice != *once && !modern_read) std::abort();
}

void others(mcp::Bridge bridge, std::string_view text) {
  if (const auto tool = mcp::shape_tool(bridge, text)) readable(*tool);
  if (text.front() == '{') readable(mcp::shape_item(bridge, text));
  readable(mcp::shape_error(bridge, mcp::Method::resources_read, text, "a:b"));
  for (const auto& one : mcp::url_elicitations(text)) readable(one);
  if (const auto params = mcp::shape_notification(bridge, "notifications/progress", text); params && !params->empty())
    readable(*params);
  for (const std::string_view method : {"elicitation/create", "sampling/createMessage", "roots/list"}) {
    if (const auto params = mcp::shape_request(bridge, {method, text, kDeclared, "id", "asker"})) readable(*params);
    if (const auto answer = mcp::shape_answer(bridge, method, text)) readable(*answer);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const mcp::Bridge bridge{static_cast<Revision>(data[0] % 5), static_cast<Revision>(data[0] / 5 % 5)};
  const auto read = json::read_upstream_document({reinterpret_cast<const char*>(data + 2), size - 2});
  if (!read) return 0;
  constexpr mcp::Method kMethods[] = {mcp::Method::tools_call, mcp::Method::prompts_get, mcp::Method::resources_read,
                                      mcp::Method::tools_list};
  results(bridge, kMethods[data[1] % 4], read->text());
  others(bridge, read->text());
  return 0;
}
