// Whatever a client sends: a message that was read has the parts that its kind promises, and what is passed on of it is JSON.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "request/mcp/message.h"
#include "request/mcp/request_state.h"

namespace {

using namespace sallyport;

void require(bool holds) {
  if (!holds) std::abort();
}

void passed_on(const mcp::Message& message) {
  const auto meta = mcp::passed_meta(message);
  require(meta.empty() || json::read("{" + meta.substr(1) + "}", {}).has_value());
  const bool named = message.method == mcp::Method::prompts_get || !message.uri.empty();
  if (named) require(json::read(mcp::upstream_params(message, "x://\"y"), {}).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string id;
  const auto message = mcp::read_message(text, {}, id);
  if (!message) return 0;
  require((message->kind == mcp::Kind::notification) == message->id.empty());
  require(message->id == id);
  require(message->kind != mcp::Kind::response || !message->answer.empty());
  const bool unknown = message->method == mcp::Method::unknown;  // also a request's name without an id, and the reverse
  require(unknown || message->method == mcp::method_from_name(message->method_name));
  if (message->kind != mcp::Kind::response) passed_on(*message);
  static constexpr std::array<std::byte, 32> kKey{};
  if (!message->request_state.empty())
    require(!mcp::open_state(kKey, message->request_state, {}, WallTime{}).has_value());
  return 0;
}
