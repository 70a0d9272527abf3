// Tools in the database: those of servers, registered ones, and the words by which both are found (SQLite's FTS5, ranked by
// bm25). Internal to storage; each function is one transaction of its own, but for those that say otherwise.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/repository.h"
#include "storage/sqlite.h"

namespace sallyport::storage {

Result<void> replace_tools(Sqlite& db, std::string_view server, std::span<const ToolRecord> tools);
Result<void> put_registered_tool(Sqlite& db, const ToolRecord& tool);
Result<void> delete_registered_tool(Sqlite& db, std::string_view name);
// Tools that are gone by now are passed over; neither value moves backwards.
Result<void> touch_tools(Sqlite& db, std::span<const control::ToolUse> uses);
// created_at, updated_at, last_used_at and use_count, from that column on.
void read_times(ToolRecord& tool, const Row& row, int column);
// Within the caller's transaction.
Result<void> forget_words(Sqlite& db, std::string_view server);
Result<std::vector<control::ToolHit>> search_tools(Sqlite& db, std::string_view words, std::uint32_t most);
// Reads only; within the caller's transaction.
Result<void> load_registered_tools(Sqlite& db, control::StoredState& state);

// FTS5 query of the caller's words: each a quoted string that a word may begin with, all of them wanted. Nothing in them is
// an operator. Empty: there is no word.
std::string words_query(std::string_view words);

}  // namespace sallyport::storage
