// Inside cli only: what is printed for people. Everything that came over the wire is made harmless for a terminal
// first: a tool's description may hold escape sequences.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"

namespace sallyport::cli {

// Control characters, bidi overrides and bytes that are no UTF-8 replaced; line breaks become blanks. At most
// `width_max` characters.
std::string printable(std::string_view text, std::size_t width_max = 200);
// RFC 3629, whole.
bool is_utf8(std::string_view text);
// Columns a terminal uses: characters, not bytes; wide ones (CJK, emoji) count two.
std::size_t width(std::string_view utf8);

struct Column {
  std::string_view path;  // "server", "pagination.total"
  std::string_view title;
  std::size_t width_max = 60;
};

// `rows`: a JSON array of objects. A word that says good or bad news is coloured.
std::string render_table(json::Value rows, const std::vector<Column>& columns, bool colour);
// Any JSON value as indented "key: value" lines.
std::string render_value(json::Value value, bool colour, unsigned indent = 0);
// The member at a dotted path, as one line of text.
std::string cell_text(json::Value object, std::string_view path);
std::string coloured(std::string_view text, std::string_view word, bool colour);

}  // namespace sallyport::cli
