// Lists as a tool server gives them, all pages drained with a cap (a hostile server may page for ever), and the probe
// that the control plane runs before an operator approves a server. On the worker of the session; 100 pages, 10,000
// items.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "request/upstream/session.h"
#include "request/upstream/upstreams.h"

namespace sallyport::upstream {

enum class ListKind : std::uint8_t { tools, resources, resource_templates, prompts };

inline constexpr std::size_t kPagesMax = 100;
inline constexpr std::size_t kItemsMax = 10'000;

// One page of a list: the raw result of the server. An error ends the list.
using TakePage = std::function<Result<void>(std::string page)>;

struct ItemView {
  std::string key;
  std::string_view raw;  // of the page
};

struct Item {
  std::string key;  // name of a tool or prompt, uri of a resource, uriTemplate of a template; unescaped
  std::string raw;  // the item as listed: minified JSON object
};

// Each page as it comes; the next one is asked for as soon as `take` has returned. Errors: as below, and those of `take`.
Task<Result<void>> list_pages(Session& session, ListKind kind, SteadyTime deadline, TakePage take);
// The items of a page, at most `most`: limit where there are more; upstream_protocol where it is no list of items.
Result<std::vector<ItemView>> items_of(ListKind kind, std::string_view page, std::size_t most);

// Items in the server's order. A server that did not declare the capability has an empty list and is not asked.
// Errors: those of Session::call, upstream_refused (the server answered an error), upstream_protocol, limit (caps).
Task<Result<std::vector<Item>>> list_all(Session& session, ListKind kind, SteadyTime deadline);

struct ProbeResult {
  ServerInfo info;
  std::vector<Item> tools;
};

// Connects, initializes, lists the tools, waits up to `settle` for list_changed (servers that register tools late send
// it right after initialized) and lists again, closes. For `server probe` and for registration.
Task<Result<ProbeResult>> probe(Upstreams& upstreams, ServerPtr server, const Clock& clock,
                                std::chrono::milliseconds settle = std::chrono::milliseconds{500});

}  // namespace sallyport::upstream
