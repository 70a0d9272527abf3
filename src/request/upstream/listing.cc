#include "request/upstream/listing.h"

#include "json/slice.h"
#include "json/writer.h"

namespace sallyport::upstream {
namespace {

struct Kind {
  std::string_view capability, method, member, key;
};

Kind kind_of(ListKind kind) {
  switch (kind) {
    case ListKind::tools: return {"tools", "tools/list", "tools", "name"};
    case ListKind::resources: return {"resources", "resources/list", "resources", "uri"};
    case ListKind::resource_templates:
      return {"resources", "resources/templates/list", "resourceTemplates", "uriTemplate"};
    case ListKind::prompts: break;
  }
  return {"prompts", "prompts/list", "prompts", "name"};
}

// The raw nextCursor; "" is a cursor like any other (mcp-spec.md, 10, trap 5). Nothing: the last page.
std::optional<std::string> next_cursor(std::string_view page) {
  const auto cursor = json::member(page, "nextCursor");
  if (!cursor || !json::is_string(*cursor)) return std::nullopt;
  return std::string(*cursor);
}

// Gives a private session back, however the probe ends.
class PrivateSession {
 public:
  PrivateSession(Upstreams& upstreams, SessionPtr session) : upstreams_(upstreams), session_(std::move(session)) {}
  PrivateSession(const PrivateSession&) = delete;
  PrivateSession& operator=(const PrivateSession&) = delete;
  ~PrivateSession() { upstreams_.close_private(std::move(session_)); }
  Session& operator*() const { return *session_; }

 private:
  Upstreams& upstreams_;
  SessionPtr session_;
};

}  // namespace

Result<std::vector<ItemView>> items_of(ListKind which, std::string_view page, std::size_t most) {
  const Kind kind = kind_of(which);
  const auto list = json::member(page, kind.member);
  if (!list || !json::is_array(*list))
    return fail(Code::upstream_protocol, std::string(kind.method) + ": no list in the result");
  std::vector<ItemView> items;
  Result<void> outcome;
  json::for_each_element(*list, [&](std::string_view item) {
    if (!outcome) return;
    auto key = json::decode_string(json::member(item, kind.key).value_or(""));
    if (!key)
      outcome = fail(Code::upstream_protocol, std::string(kind.method) + ": an item without " + std::string(kind.key));
    else if (items.size() >= most) outcome = fail(Code::limit, std::string(kind.method) + ": too many items");
    else items.push_back({std::move(*key), item});
  });
  SP_CHECK(std::move(outcome));
  return items;
}

Task<Result<void>> list_pages(Session& session, ListKind which, SteadyTime deadline, TakePage take) {
  const Kind kind = kind_of(which);
  if (!session.info().has(kind.capability)) co_return Result<void>{};
  std::optional<std::string> cursor;
  for (std::size_t pages = 0; pages < kPagesMax; ++pages) {
    Call call{.method = std::string(kind.method), .deadline = deadline};
    if (cursor) call.params = "{\"cursor\":" + *cursor + "}";
    SP_CO_TRY(Reply page, co_await session.call(std::move(call), nullptr));
    if (page.is_error)
      co_return fail(Code::upstream_refused, std::string(kind.method) + ": " + page.body.substr(0, 200));
    cursor = next_cursor(page.body);
    SP_CO_CHECK(take(std::move(page.body)));
    if (!cursor) co_return Result<void>{};
  }
  co_return fail(Code::limit, std::string(kind.method) + ": too many pages");
}

Task<Result<std::vector<Item>>> list_all(Session& session, ListKind which, SteadyTime deadline) {
  std::vector<Item> items;
  const auto append = [&items, which](const std::string& page) -> Result<void> {
    SP_TRY(std::vector<ItemView> of_page, items_of(which, page, kItemsMax - items.size()));
    for (ItemView& item : of_page) items.push_back({std::move(item.key), std::string(item.raw)});
    return {};
  };
  SP_CO_CHECK(co_await list_pages(session, which, deadline, append));
  co_return items;
}

Task<Result<ProbeResult>> probe(Upstreams& upstreams, ServerPtr server, const Clock& clock,
                                std::chrono::milliseconds settle) {
  auto executor = co_await asio::this_coro::executor;
  auto changed = std::make_shared<SteadyTimer>(executor, settle);
  auto is_changed = std::make_shared<bool>(false);
  SP_CO_TRY(SessionPtr opened, co_await upstreams.open_private(server, [changed, is_changed](const Notice& notice) {
    if (notice.method != "notifications/tools/list_changed") return;
    *is_changed = true;
    changed->cancel();
  }));
  const PrivateSession session(upstreams, std::move(opened));
  const SteadyTime deadline = clock.steady() + server->start_timeout;
  ProbeResult result{(*session).info(), {}};
  SP_CO_TRY(result.tools, co_await list_all(*session, ListKind::tools, deadline));
  if (!*is_changed) {
    changed->expires_after(settle);  // from here: a server that was slow to start is given its time too
    co_await changed->async_wait(use_task_ec);
  }
  if (*is_changed) {
    // Several arrive in a burst while the server registers one tool after another: the last one counts.
    SteadyTimer rest(executor, std::min(settle, std::chrono::milliseconds{50}));
    co_await rest.async_wait(use_task_ec);
    SP_CO_TRY(result.tools, co_await list_all(*session, ListKind::tools, deadline));
  }
  co_return result;
}

}  // namespace sallyport::upstream
