#include "request/mcp/request_state.h"

#include <charconv>

#include "core/encoding.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "json/slice.h"
#include "json/writer.h"

namespace sallyport::mcp {
namespace {

std::string additional(const StateBinding& b) {
  const crypto::Digest arguments = crypto::sha256(b.arguments);
  std::string out = "requestState/1";
  for (const std::string_view part : {b.principal, b.scope, b.method, b.server, b.name,
                                      std::string_view(reinterpret_cast<const char*>(arguments.data()), arguments.size())}) {
    out.append(1, '\n').append(std::to_string(part.size())).append(1, ':').append(part);
  }
  return out;
}

std::int64_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

Error refused() { return {Code::invalid_params, "requestState: not ours, not for this request, used or expired"}; }

template <class T>
std::optional<T> number_of(std::string_view object, std::string_view name) {
  const auto raw = json::member(object, name);
  T value = 0;
  if (!raw || std::from_chars(raw->data(), raw->data() + raw->size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

std::string text_of(std::string_view object, std::string_view name) {
  const auto raw = json::member(object, name);
  return raw ? json::decode_string(*raw).value_or("") : std::string();
}

}  // namespace

Result<std::string> seal_state(std::span<const std::byte> key, const RequestState& state, const StateBinding& binding,
                               WallTime expires, Random& random) {
  json::Writer w;
  w.object().member("e", seconds_of(expires));
  if (!state.life.empty()) w.member("l", state.life).member("c", state.call);
  if (!state.upstream.empty()) w.member_raw("u", state.upstream);
  if (!state.approval.empty()) w.member("a", state.approval).member("r", std::uint64_t{state.round});
  const std::string plain = w.end_object().take();
  if (plain.size() > kRequestStateBytesMax) return fail(Code::upstream_too_large, "requestState of the tool server");
  SP_TRY(const std::string sealed, crypto::seal(key, plain, additional(binding), random));
  return "\"" + base64url_encode(as_bytes(sealed)) + "\"";
}

Result<RequestState> open_state(std::span<const std::byte> key, std::string_view raw, const StateBinding& binding, WallTime now) {
  if (raw.size() < 2 || raw.size() > 2 * kRequestStateBytesMax) return fail(refused());
  const auto sealed = base64url_decode(raw.substr(1, raw.size() - 2));
  if (!sealed) return fail(refused());
  const auto plain = crypto::open(key, std::string_view(reinterpret_cast<const char*>(sealed->data()), sealed->size()), additional(binding));
  if (!plain) return fail(refused());
  const auto expires = number_of<std::int64_t>(*plain, "e");
  if (!expires || *expires <= seconds_of(now)) return fail(refused());
  RequestState state;
  state.life = text_of(*plain, "l");
  state.call = number_of<std::uint64_t>(*plain, "c").value_or(0);
  if (const auto upstream = json::member(*plain, "u")) state.upstream = *upstream;
  state.approval = text_of(*plain, "a");
  state.round = number_of<std::uint32_t>(*plain, "r").value_or(0);
  return state;
}

}  // namespace sallyport::mcp
