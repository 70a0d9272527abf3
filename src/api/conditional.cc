// Requests that depend on what is there, and requests that come twice.
#include <algorithm>
#include <utility>

#include "api/people.h"
#include "core/encoding.h"
#include "crypto/hash.h"

namespace sallyport::api {
namespace {

std::string digest_of(const std::string& text) {
  const auto digest = crypto::sha256(text);
  return base64url_encode(std::span(digest).first(16));
}

// Of the body; where parts of it change that nobody writes, of what they leave, a full stop, and of the body.
std::string tag_of(const RestAnswer& answer) {
  const std::string body = digest_of(answer.content_type + '\n' + answer.body);
  return answer.version.empty() ? '"' + body + '"' : '"' + digest_of(answer.version) + '.' + body + '"';
}

// What a change depends on: no tag has a full stop but for the one above.
std::string_view state_of(std::string_view tag) { return tag.substr(0, tag.find('.')); }

enum class Wanted : std::uint8_t { same_body, same_state };  // If-None-Match, If-Match

// RFC 9110 13.1: a list of tags, or "*". Strong comparison, but W/ is passed over for If-None-Match.
bool names(std::string_view field, std::string_view tag, Wanted wanted) {
  while (!field.empty()) {
    auto item = field.substr(0, std::min(field.find(','), field.size()));
    field.remove_prefix(std::min(item.size() + 1, field.size()));
    while (item.starts_with(' ') || item.starts_with('\t')) item.remove_prefix(1);
    while (item.ends_with(' ') || item.ends_with('\t')) item.remove_suffix(1);
    if (wanted == Wanted::same_body && item.starts_with("W/")) item.remove_prefix(2);
    if (item == "*" || item == tag) return true;
    if (wanted == Wanted::same_state && state_of(item) == state_of(tag)) return true;
  }
  return false;
}

Task<RestAnswer> read(Call& call) {
  RestAnswer answer = co_await call.route->handle(call);
  if (answer.status != 200 || call.route->is_public) co_return answer;
  const std::string tag = tag_of(answer);
  answer.headers.emplace_back("ETag", tag);
  if (call.request.if_none_match.empty() || !names(call.request.if_none_match, tag, Wanted::same_body))
    co_return answer;
  answer.status = 304;
  answer.body.clear();
  answer.content_type.clear();
  co_return answer;
}

Task<Result<SnapshotPtr>> newest_snapshot(const control::ControlPlane& control) { co_return control.snapshot(); }

// What GET of the same path answers now is what If-Match must name.
Task<RestAnswer> change(Call& call) {
  if (call.request.method == "POST") co_return refuse(call, {Code::validation, "If-Match goes with PUT and DELETE"});
  const FoundRoute there = find_route("GET", call.request.path);
  if (there.route == nullptr) co_return refuse(call, {Code::validation, "If-Match: there is no GET of this path"});
  if (auto may = permit(call, *there.route); !may) co_return refuse(call, may.error());  // whose state it tells of
  // By the pattern: one object has several names (aliases of the path, a user's name and id).
  const Changing::Hold hold(call.api.changing(), std::string(there.route->path));
  if (!hold) co_return refuse(call, {Code::conflict, "another change under If-Match is under way; try again"});
  auto& control = call.api.deps().control;
  auto newest = co_await run_on<SnapshotPtr>(control.executor(), newest_snapshot(control));
  if (!newest) co_return refuse(call, newest.error());
  call.request.snapshot = std::move(*newest);  // the worker's own may be of before the last change
  const Route* const wanted = std::exchange(call.route, there.route);
  const RestAnswer now = co_await there.route->handle(call);
  call.route = wanted;
  if (now.status != 200 || !names(call.request.if_match, tag_of(now), Wanted::same_state))
    co_return refuse(call, {Code::precondition_failed, ""});
  co_return co_await wanted->handle(call);
}

Task<RestAnswer> once(Call& call) {
  const std::string& key = *call.request.idempotency_key;
  const bool visible = std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7f; });
  if (!visible || key.empty() || key.size() > 255)
    co_return refuse(call, {Code::validation, "Idempotency-Key: 1 to 255 visible characters"});
  Idempotency& kept = call.api.idempotency();
  const auto digest = crypto::sha256(call.request.path + '\n' + call.request.query + '\n' + call.request.body);
  const std::string who = call.principal().id;
  auto before = kept.begin(who, key, std::string(call.route->path) + base64url_encode(digest), call.request.now);
  if (!before) co_return refuse_to_wait(call, before.error());
  if (*before) co_return std::move(**before);
  struct Ended {  // a request that is cut off may have done its work: its key stays used, without an answer
    Idempotency& kept;
    const std::string& who;
    const std::string& key;
    std::optional<RestAnswer> answer;
    ~Ended() { kept.end(who, key, answer); }
  } ended{kept, who, key, std::nullopt};
  ended.answer = co_await call.route->handle(call);
  co_return *ended.answer;
}

}  // namespace

Task<RestAnswer> handle_once(Call& call) {
  const RestRequest& request = call.request;
  if (request.method == "GET") return read(call);
  if (!request.if_match.empty()) return change(call);
  if (request.idempotency_key && request.method == "POST" && request.principal) return once(call);
  return call.route->handle(call);
}

}  // namespace sallyport::api
