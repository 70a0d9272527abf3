// Lists: filters, order, page (S1-19; requirements, section 8).
#include <algorithm>
#include <charconv>

#include "api/route.h"
#include "core/slices.h"

namespace sallyport::api {
namespace {

constexpr std::size_t kLimitMax = 1000;

struct Page {
  std::size_t limit = 50;
  std::size_t offset = 0;
  std::string sort;  // empty: as they come
  bool descending = false;
};

Result<std::size_t> number_of(const Call& call, std::string_view name, std::size_t least, std::size_t most,
                              std::size_t fallback) {
  const auto text = query_value(call.request.query, name);
  if (!text) return fallback;
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < least) {
    return fail(Code::validation, std::string(name) + " must be an integer, at least " + std::to_string(least));
  }
  return std::min(value, most);
}

Result<Page> read_page(const Call& call, std::size_t most) {
  constexpr std::size_t kFar = 1U << 30;
  Page page;
  SP_TRY(page.limit, number_of(call, "limit", 1, most, page.limit));
  SP_TRY(page.limit, number_of(call, "per_page", 1, most, page.limit));
  SP_TRY(page.offset, number_of(call, "offset", 0, kFar, 0));
  if (query_value(call.request.query, "page")) {
    SP_TRY(const std::size_t number, number_of(call, "page", 1, kFar / kLimitMax, 1));
    page.offset = (number - 1) * page.limit;
  }
  page.sort = query_value(call.request.query, "sort").value_or("");
  page.descending = page.sort.starts_with('-');
  if (page.descending) page.sort.erase(0, 1);
  return page;
}

struct Item {
  std::size_t index = 0;
  std::optional<double> number;  // of the member that is sorted by
  std::string word;
};

std::string_view plain(json::Value value) { return value.as_string().value_or(value.raw()); }

using Filters = std::vector<std::pair<std::string_view, std::string>>;  // members, and what they must be

Filters filters_of(const Call& call) {
  Filters out;
  std::string_view names = call.route->doc.filters;
  while (!names.empty()) {
    const auto name = names.substr(0, std::min(names.find(' '), names.size()));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
    if (auto wanted = query_value(call.request.query, name)) out.emplace_back(name, *std::move(wanted));
  }
  return out;
}

bool stays(const Filters& filters, json::Value item) {
  return std::ranges::all_of(filters, [&](const auto& filter) {
    const auto member = item.find(filter.first);
    return member && plain(*member) == filter.second;
  });
}

// What of an item it is put in order by. Error: validation, it has no such member.
Result<Item> item_of(std::size_t index, json::Value item, const Page& page) {
  if (page.sort.empty()) return Item{index, {}, {}};
  const auto member = item.find(page.sort);
  if (!member || member->is_array() || member->is_object()) {
    return fail(Code::validation, "sort: no member \"" + page.sort.substr(0, 64) + "\" to sort by");
  }
  return Item{index, member->as_double(), std::string(plain(*member))};
}

void order(std::vector<Item>& items, const Page& page) {
  if (page.sort.empty()) return;
  std::ranges::sort(items, [&page](const Item& a, const Item& b) {
    const Item& first = page.descending ? b : a;
    const Item& second = page.descending ? a : b;
    if (first.number && second.number && *first.number != *second.number) return *first.number < *second.number;
    if (first.word != second.word) return first.word < second.word;
    return a.index < b.index;  // as they came
  });
}

// What the query leaves of a list, and which of it is asked for.
struct Chosen {
  Page page;
  std::optional<std::vector<Item>> items;  // nothing: all, as they come
  std::size_t total = 0;
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] std::size_t index(std::size_t at) const { return items ? (*items)[at].index : at; }
};

// Error: validation.
Task<Result<std::vector<Item>>> look_into(const ListOf& all, const Filters& filters, const Page& page, Slices& slices) {
  std::vector<Item> out;
  for (std::size_t i = 0; i < all.count; ++i) {
    if (slices.over()) co_await slices.next();
    json::Writer w;
    all.write(w, i);
    const auto document = json::read(w.text());
    if (!document || !stays(filters, document->root())) continue;
    SP_CO_TRY(Item item, item_of(i, document->root(), page));
    out.push_back(std::move(item));
  }
  order(out, page);
  co_return out;
}

Task<Result<Chosen>> choose(const Call& call, const ListOf& all, std::size_t most, Slices& slices) {
  Chosen out;
  SP_CO_TRY(out.page, read_page(call, most));
  const Filters filters = filters_of(call);
  if (!filters.empty() || !out.page.sort.empty()) {
    SP_CO_TRY(out.items, co_await look_into(all, filters, out.page, slices));
  }
  out.total = out.items ? out.items->size() : all.count;
  out.begin = std::min(out.page.offset, out.total);
  out.end = std::min(out.total, out.begin + out.page.limit);
  co_return out;
}

Task<void> write_items(json::Writer& w, std::string_view member, const ListOf& all, const Chosen& chosen,
                       Slices& slices) {
  w.key(member).array();
  for (std::size_t i = chosen.begin; i < chosen.end; ++i) {
    if (slices.over()) co_await slices.next();
    all.write(w, chosen.index(i));
  }
  w.end_array();
}

ListOf of(const std::vector<std::string>& texts) {
  return {texts.size(), [&texts](json::Writer& w, std::size_t index) { w.raw(texts[index]); }};
}

}  // namespace

Task<RestAnswer> list(const Call& call, ListOf items) {
  Slices slices(call.api.deps().clock, co_await asio::this_coro::executor);
  const auto chosen = co_await choose(call, items, kLimitMax, slices);
  if (!chosen) co_return refuse(call, chosen.error());
  const Page& page = chosen->page;
  json::Writer w;
  co_await write_items(w.object(), "data", items, *chosen, slices);
  w.key("pagination").object();
  w.member("total", chosen->total).member("limit", page.limit).member("offset", page.offset);
  w.member("has_next", chosen->end < chosen->total).member("has_prev", chosen->begin > 0);
  w.end_object().end_object();
  co_return ok(w);
}

Task<RestAnswer> list(const Call& call, const std::vector<std::string>& items) { return list(call, of(items)); }

Task<RestAnswer> list_as_s1(const Call& call, ListOf items, std::string_view member) {
  constexpr std::size_t kPerPageMax = 100;
  Slices slices(call.api.deps().clock, co_await asio::this_coro::executor);
  const auto chosen = co_await choose(call, items, kPerPageMax, slices);
  if (!chosen) co_return refuse(call, chosen.error());
  const std::size_t size = chosen->page.limit;
  json::Writer w;
  co_await write_items(w.object(), member, items, *chosen, slices);
  w.member("total", chosen->total).member("page", chosen->page.offset / size + 1).member("per_page", size);
  w.member("total_pages", (chosen->total + size - 1) / size).end_object();
  co_return ok(w);
}

Task<RestAnswer> list_as_s1(const Call& call, const std::vector<std::string>& items, std::string_view member) {
  return list_as_s1(call, of(items), member);
}

}  // namespace sallyport::api
