// GET /access/review: who can call what, why, and when they last did (S2-38).
#include <charconv>

#include "api/access_review.h"
#include "api/handlers.h"
#include "api/people.h"
#include "api/registry.h"
#include "api/standing.h"
#include "control/access_book.h"
#include "core/encoding.h"

namespace sallyport::api {
namespace {

constexpr std::size_t kRows = 100;
constexpr std::size_t kRowsMax = 1000;
constexpr std::size_t kDaysMax = 36'500;
constexpr char kBetween = '\n';  // in no id and no name of a server

std::string cursor_of(const Pair& pair) {
  const std::string text = pair.principal + kBetween + pair.server + kBetween + pair.tool;
  return base64url_encode(as_bytes(text));
}

Result<Pair> pair_of(const std::string& cursor) {
  const auto bytes = base64url_decode(cursor);
  const std::string text = bytes ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : "";
  const auto first = text.find(kBetween);
  const auto second = first == std::string::npos ? first : text.find(kBetween, first + 1);
  if (second == std::string::npos) return fail(Code::validation, "after: give what `next` of the page before said");
  return Pair{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
}

Result<std::optional<std::size_t>> number_of(const Call& call, std::string_view name, std::size_t most) {
  const auto text = query_value(call.request.query, name);
  if (!text) return std::nullopt;
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool whole = error == std::errc() && end == text->data() + text->size();
  if (whole && value <= most) return value;
  return fail(Code::validation, std::string(name) + " must be a number up to " + std::to_string(most));
}

// "user:<id>" or "key:<id>" of a user's name or id, or of a key's id, with or without that word before it.
Result<std::string> principal_called(const Call& call, const std::string& who) {
  const Snapshot& snapshot = *call.request.snapshot;
  const auto bare = [&](std::string_view word) { return who.starts_with(word) ? who.substr(word.size()) : who; };
  if (const UserRecord* const user = find_user(snapshot, bare("user:"))) return "user:" + user->id;
  if (snapshot.principals->keys.contains(bare("key:"))) return "key:" + bare("key:");
  return fail(Code::not_found, "no user and no key " + who);
}

Result<ReviewWanted> read_wanted(const Call& call) {
  ReviewWanted wanted;
  const std::string_view query = call.request.query;
  if (const auto who = query_value(query, "principal")) {
    SP_TRY(wanted.principal, principal_called(call, *who));
  }
  if (const auto server = query_value(query, "server")) {
    if (!call.request.snapshot->catalogue->tools.contains(*server))
      return fail(Code::not_found, "no tools of " + *server);
    wanted.server = *server;
  }
  if (const auto id = query_value(query, "tool")) {
    const ToolPtr tool = tool_by_id(call, *id);
    if (!tool || (!wanted.server.empty() && wanted.server != tool->server))
      return fail(Code::not_found, "no tool " + *id);
    wanted.server = tool->server;
    wanted.tool = tool->name;
  }
  if (const auto after = query_value(query, "after")) {
    SP_TRY(wanted.after, pair_of(*after));
  }
  SP_TRY(const auto rows, number_of(call, "limit", kRowsMax));
  wanted.rows_max = rows.value_or(kRows);
  if (wanted.rows_max == 0) return fail(Code::validation, "limit must be 1 to 1000");
  return wanted;
}

struct Uses {
  std::vector<AccessUse> of_rows;
  WallTime since{};
};

Task<Result<Uses>> look_up(control::AccessBook& book, std::vector<AccessUse> wanted) {
  Uses uses;
  SP_CO_TRY(uses.of_rows, co_await book.look_up(std::move(wanted)));
  SP_CO_TRY(uses.since, co_await book.since());
  co_return uses;
}

void write_row(json::Writer& w, const ReviewRow& row, const AccessUse& use) {
  w.object().member("principal", row.pair.principal).member("name", row.name).member("kind", row.kind);
  w.member("status", row.status).member("server", row.pair.server).member("tool", row.pair.tool);
  w.member("exposed_name", row.exposed_name);
  write_texts(w, "doors", row.doors);
  write_texts(w, "why", row.why);
  w.key("last_used_at");
  if (use.count == 0) w.null();
  else w.value(iso_time(use.last));
  w.member("use_count", use.count).end_object();
}

}  // namespace

Task<RestAnswer> access_review(Call& call) {
  auto wanted = read_wanted(call);
  if (!wanted) co_return refuse(call, wanted.error());
  const auto unused = number_of(call, "unused", kDaysMax);
  if (!unused) co_return refuse(call, unused.error());
  const Review found = co_await review(call, std::move(*wanted));
  std::vector<AccessUse> pairs;
  for (const ReviewRow& row : found.rows) pairs.push_back({row.pair.principal, row.pair.server, row.pair.tool, {}, 0});
  const auto uses = co_await run_for_caller<Uses>(call, look_up(*call.api.deps().access, std::move(pairs)));
  if (!uses) co_return refuse(call, uses.error());
  const WallTime before = call.request.now - std::chrono::days(unused->value_or(0));
  json::Writer w;
  w.object().key("data").array();
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    if (!*unused || uses->of_rows[i].last < before) write_row(w, found.rows[i], uses->of_rows[i]);
  }
  w.end_array().key("next");
  if (found.next) w.value(cursor_of(*found.next));
  else w.null();
  w.member("decided", found.decided).member("undecided", found.undecided);
  w.member("recorded_since", iso_time(uses->since)).end_object();
  co_return ok(w);
}

}  // namespace sallyport::api
