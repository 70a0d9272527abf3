#include "storage/tools.h"

#include <algorithm>
#include <utility>

#include "model/registration.h"
#include "storage/items.h"
#include "storage/load.h"

namespace sallyport::storage {
namespace {

Result<void> put_words(Sqlite& db, const ToolRecord& tool) {
  std::string labels;
  if (tool.registration) {
    for (const auto* list : {&tool.registration->categories, &tool.registration->tags}) {
      for (const auto& label : *list) labels.append(label).append("\n");
    }
  }
  SP_CHECK(db.run("put words",
                  "INSERT INTO tool_words (server, tool, name, title, description, labels) "
                  "VALUES (?1, ?2, ?2, ?3, ?4, ?5)",
                  tool.server, tool.name, tool.title, tool.description, labels));
  return {};
}

Result<void> insert_tool(Sqlite& db, Statement& insert, const ToolRecord& tool) {
  insert.bind(tool.server).bind(tool.name).bind(tool.exposed_name).bind(tool.definition).bind(tool.digest);
  insert.bind(tool.title).bind(tool.description).bind(std::int64_t{tool.security_level}).bind(tool.enabled);
  insert.bind(to_micros(tool.created_at)).bind(to_micros(tool.updated_at));
  insert.bind(tool.usage->last.load()).bind(static_cast<std::int64_t>(tool.usage->count.load()));
  SP_CHECK(insert.run());
  SP_TRY(const std::int64_t id, db.pragma("tool id", "SELECT last_insert_rowid()"));
  ItemList items;
  items.add("required", tool.required);
  items.add("label", tool.labels);
  SP_CHECK(replace_items(db, kToolItems, id, items));
  return put_words(db, tool);
}

std::shared_ptr<const Registration> registration_of(const Row& row, const ItemView& view) {
  auto out = std::make_shared<Registration>();
  out->version = row.text(1);
  out->categories = view.strings("category");
  out->tags = view.strings("tag");
  out->owner = row.text(8);
  out->bound_server = row.text(9);
  out->bound_tool = row.text(10);
  if (row.text(11).empty()) return out;
  auto endpoint = std::make_shared<ServerRecord>();
  endpoint->name = endpoint_name(row.text(0));
  endpoint->transport = Transport::http;
  endpoint->url = row.text(11);
  endpoint->allow_private = row.flag(12);
  endpoint->call_timeout = std::chrono::milliseconds(row.number(13));
  endpoint->headers = view.pairs("header");
  out->endpoint = std::move(endpoint);
  return out;
}

}  // namespace

Result<void> forget_words(Sqlite& db, std::string_view server) {
  SP_CHECK(db.run("remove words", "DELETE FROM tool_words WHERE server = ?", server));
  return {};
}

Result<void> replace_tools(Sqlite& db, std::string_view server, std::span<const ToolRecord> tools) {
  SP_TRY(Transaction transaction, Transaction::begin(db));
  // Said before the first insert: an empty list of an unknown server is an error too.
  SP_TRY(const std::int64_t known, db.run("find server", "UPDATE servers SET name = name WHERE name = ?", server));
  if (known == 0) return fail(Code::not_found, "no such server");
  SP_CHECK(db.run("remove tools", "DELETE FROM tools WHERE server = ?", server));
  SP_CHECK(forget_words(db, server));
  SP_TRY(Statement insert,
         db.prepare("insert tool", "INSERT INTO tools (server, name, exposed_name, definition, digest, "
                                   "title, description, security_level, enabled, created_at, updated_at, last_used_at, "
                                   "use_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  for (const ToolRecord& tool : tools) {
    if (tool.server != server) return fail(Code::storage, "a tool names another server");
    SP_CHECK(insert_tool(db, insert, tool));
  }
  return transaction.commit();
}

void read_times(ToolRecord& tool, const Row& row, int column) {
  tool.created_at = from_micros(row.number(column));
  tool.updated_at = from_micros(row.number(column + 1));
  tool.usage->last = row.number(column + 2);
  tool.usage->count = tool.usage->written = static_cast<std::uint64_t>(row.number(column + 3));
}

Result<void> touch_tools(Sqlite& db, std::span<const control::ToolUse> uses) {
  SP_TRY(Transaction transaction, Transaction::begin(db));
  for (const control::ToolUse& use : uses) {
    const auto count = static_cast<std::int64_t>(use.count);
    if (use.server == kRegistry) {
      SP_CHECK(db.run("touch tool",
                      "UPDATE registered_tools SET last_used_at = max(last_used_at, ?), "
                      "use_count = max(use_count, ?) WHERE name = ?",
                      to_micros(use.at), count, use.name));
    } else {
      SP_CHECK(db.run("touch tool",
                      "UPDATE tools SET last_used_at = max(last_used_at, ?), "
                      "use_count = max(use_count, ?) WHERE server = ? AND name = ?",
                      to_micros(use.at), count, use.server, use.name));
    }
  }
  return transaction.commit();
}

Result<void> put_registered_tool(Sqlite& db, const ToolRecord& tool) {
  if (!tool.registration || tool.server != kRegistry) return fail(Code::storage, "no registered tool");
  const Registration& what = *tool.registration;
  static const ServerRecord kNoEndpoint{};
  const ServerRecord& endpoint = what.endpoint ? *what.endpoint : kNoEndpoint;
  ItemList items;
  items.add("category", what.categories);
  items.add("tag", what.tags);
  items.add("header", endpoint.headers);
  items.add("label", tool.labels);
  SP_TRY(Transaction transaction, Transaction::begin(db));
  SP_CHECK(db.run(
      "put tool",
      "INSERT INTO registered_tools VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT (name) "
      "DO UPDATE SET version = excluded.version, definition = excluded.definition, digest = excluded.digest, "
      "title = excluded.title, description = excluded.description, security_level = excluded.security_level, "
      "enabled = excluded.enabled, owner = excluded.owner, bound_server = excluded.bound_server, "
      "bound_tool = excluded.bound_tool, url = excluded.url, allow_private = excluded.allow_private, "
      "call_timeout_ms = excluded.call_timeout_ms, updated_at = excluded.updated_at",
      tool.name, what.version, tool.definition, tool.digest, tool.title, tool.description,
      std::int64_t{tool.security_level}, tool.enabled, what.owner, what.bound_server, what.bound_tool, endpoint.url,
      endpoint.allow_private, std::int64_t{endpoint.call_timeout.count()}, to_micros(tool.created_at),
      to_micros(tool.updated_at)));
  SP_CHECK(replace_items(db, kRegisteredToolItems, tool.name, items));
  SP_CHECK(db.run("remove words", "DELETE FROM tool_words WHERE server = ? AND tool = ?", kRegistry, tool.name));
  SP_CHECK(put_words(db, tool));
  return transaction.commit();
}

Result<void> delete_registered_tool(Sqlite& db, std::string_view name) {
  SP_TRY(Transaction transaction, Transaction::begin(db));
  SP_TRY(const std::int64_t gone, db.run("delete tool", "DELETE FROM registered_tools WHERE name = ?", name));
  if (gone == 0) return fail(Code::not_found, "no such tool");
  SP_CHECK(db.run("remove words", "DELETE FROM tool_words WHERE server = ? AND tool = ?", kRegistry, name));
  return transaction.commit();
}

std::string words_query(std::string_view words) {
  std::string out;
  while (!words.empty()) {
    const auto word = words.substr(0, std::min(words.find(' '), words.size()));
    words.remove_prefix(std::min(word.size() + 1, words.size()));
    if (word.empty()) continue;
    out += out.empty() ? "\"" : " \"";
    for (const char c : word) {
      if (c != '\0') out.append(c == '"' ? 2 : 1, c);  // it has a meaning inside of quotes, and NUL would end the query
    }
    out += "\"*";
  }
  return out;
}

Result<std::vector<control::ToolHit>> search_tools(Sqlite& db, std::string_view words, std::uint32_t most) {
  std::vector<control::ToolHit> out;
  const std::string query = words_query(words);
  if (query.empty()) return out;
  // The weights of: server and tool (not indexed), name, title, description, labels.
  SP_TRY(Statement find, db.prepare("search tools", "SELECT server, tool, -bm25(tool_words, 0.0, 0.0, 10.0, 5.0, 1.0, "
                                                    "3.0) AS score FROM tool_words WHERE tool_words MATCH ? "
                                                    "ORDER BY score DESC, server, tool LIMIT ?"));
  find.bind(query).bind(std::int64_t{most});
  for (;;) {
    SP_TRY(const bool more, find.step());
    if (!more) return out;
    out.push_back({find.row().text(0), find.row().text(1), find.row().real(2)});
  }
}

Result<void> load_registered_tools(Sqlite& db, control::StoredState& state) {
  SP_TRY(const ItemsByOwner items, load_items(db, kRegisteredToolItems));
  SP_TRY(Statement load,
         db.prepare("load registered tools",
                    "SELECT name, version, definition, digest, title, description, "
                    "security_level, enabled, owner, bound_server, bound_tool, url, allow_private, "
                    "call_timeout_ms, created_at, updated_at, last_used_at, use_count FROM registered_tools "
                    "ORDER BY name"));
  for (;;) {
    SP_TRY(const bool more, load.step());
    if (!more) return {};
    const Row row = load.row();
    ToolRecord tool;
    tool.server = kRegistry;
    tool.name = tool.exposed_name = row.text(0);
    tool.definition = row.text(2);
    tool.digest = row.text(3);
    tool.title = row.text(4);
    tool.description = row.text(5);
    tool.security_level = static_cast<int>(row.number(6));
    tool.enabled = row.flag(7);
    tool.registration = registration_of(row, items_of(items, tool.name));
    tool.labels = items_of(items, tool.name).strings("label");
    read_times(tool, row, 14);
    state.registered.push_back(std::move(tool));
  }
}

}  // namespace sallyport::storage
