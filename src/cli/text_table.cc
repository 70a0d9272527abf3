#include "cli/text_table.h"

#include <algorithm>
#include <array>

namespace sallyport::cli {
namespace {

struct Character {
  char32_t point;
  std::size_t bytes;
};

// U+FFFD for what is no UTF-8.
Character next(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (n == 0 || lead > 0xF4 || n > s.size()) return {0xFFFD, 1};
  char32_t point = lead & (0xFFU >> (n + 1));
  for (std::size_t i = 1; i < n; ++i) {
    if ((at(i) & 0xC0U) != 0x80) return {0xFFFD, 1};
    point = point << 6U | (at(i) & 0x3FU);
  }
  const bool bad = (n == 3 && point < 0x800) || (n == 4 && point < 0x10000) || point > 0x10FFFF ||
                   (point >= 0xD800 && point < 0xE000);
  return bad ? Character{0xFFFD, 1} : Character{point, n};
}

bool harmful(char32_t p) {
  return p < 0x20 || (p >= 0x7F && p < 0xA0) || (p >= 0x200B && p <= 0x200F) || (p >= 0x2028 && p <= 0x202E) ||
         (p >= 0x2060 && p <= 0x2069) || p == 0xFEFF || (p >= 0xE0000 && p <= 0xE007F);
}

std::size_t columns_of(char32_t p) {
  if (p >= 0x300 && p <= 0x36F) return 0;
  const bool wide = (p >= 0x1100 && p <= 0x115F) || (p >= 0x2E80 && p <= 0xA4CF) || (p >= 0xAC00 && p <= 0xD7A3) ||
                    (p >= 0xF900 && p <= 0xFAFF) || (p >= 0xFE30 && p <= 0xFE6F) || (p >= 0xFF00 && p <= 0xFF60) ||
                    (p >= 0x1F300 && p <= 0x1FAFF) || (p >= 0x20000 && p <= 0x3FFFD);
  return wide ? 2 : 1;
}

std::string padded(std::string_view text, std::size_t to) {
  std::string out(text);
  const std::size_t used = width(text);
  if (used < to) out.append(to - used, ' ');
  return out;
}

std::string scalar_text(json::Value v) {
  if (const auto s = v.as_string()) return std::string(*s);
  if (v.is_null()) return "";
  return std::string(v.raw());
}

std::string one_line(json::Value v) {
  if (!v.is_array()) return scalar_text(v);
  std::string out;
  for (const json::Value item : v.elements()) out += (out.empty() ? "" : ", ") + scalar_text(item);
  return out;
}

bool is_simple(json::Value v) {
  if (v.is_object()) return false;
  if (!v.is_array()) return true;
  for (const json::Value item : v.elements()) {
    if (item.is_object() || item.is_array()) return false;
  }
  return true;
}

}  // namespace

std::string printable(std::string_view text, std::size_t width_max) {
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const Character c = next(text);
    const std::size_t w = harmful(c.point) ? 1 : columns_of(c.point);
    if (used + w > width_max - 1 && width(text) > width_max - used) return out + "…";
    if (c.point == '\n' || c.point == '\t' || c.point == '\r') out += ' ';
    else if (harmful(c.point) || c.point == 0xFFFD) out += "�";
    else out += text.substr(0, c.bytes);
    used += w;
    text.remove_prefix(c.bytes);
  }
  return out;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character c = next(text);
    if (c.point == 0xFFFD && c.bytes == 1) return false;
    text.remove_prefix(c.bytes);
  }
  return true;
}

std::size_t width(std::string_view utf8) {
  std::size_t out = 0;
  while (!utf8.empty()) {
    const Character c = next(utf8);
    out += columns_of(c.point);
    utf8.remove_prefix(c.bytes);
  }
  return out;
}

std::string coloured(std::string_view text, std::string_view word, bool colour) {
  if (!colour) return std::string(text);
  constexpr std::array<std::string_view, 8> kGood{"ok",    "active",  "success", "enabled",
                                                  "ready", "healthy", "running", "intact"};
  constexpr std::array<std::string_view, 9> kBad{"fail",    "failed",  "denied",      "error", "disabled",
                                                 "blocked", "revoked", "unreachable", "open"};
  constexpr std::array<std::string_view, 5> kWarn{"warn", "warning", "changed", "pending", "expired"};
  const char* code = nullptr;
  if (std::ranges::find(kGood, word) != kGood.end()) code = "\x1b[32m";
  else if (std::ranges::find(kBad, word) != kBad.end()) code = "\x1b[31m";
  else if (std::ranges::find(kWarn, word) != kWarn.end()) code = "\x1b[33m";
  return code == nullptr ? std::string(text) : code + std::string(text) + "\x1b[0m";
}

std::string cell_text(json::Value object, std::string_view path) {
  while (true) {
    const auto dot = path.find('.');
    const auto found = object.find(path.substr(0, dot));
    if (!found) return "";
    if (dot == std::string_view::npos) return one_line(*found);
    object = *found;
    path.remove_prefix(dot + 1);
  }
}

std::string render_table(json::Value rows, const std::vector<Column>& columns, bool colour) {
  std::vector<std::size_t> widths;
  for (const Column& c : columns) widths.push_back(width(c.title));
  std::vector<std::vector<std::string>> cells;
  for (const json::Value row : rows.elements()) {
    std::vector<std::string>& line = cells.emplace_back();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      line.push_back(printable(cell_text(row, columns[i].path), columns[i].width_max));
      widths[i] = std::max(widths[i], width(line.back()));
    }
  }
  std::string out;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string title =
        i + 1 == columns.size() ? std::string(columns[i].title) : padded(columns[i].title, widths[i] + 2);
    out += colour ? "\x1b[1m" + title + "\x1b[0m" : title;
  }
  out += '\n';
  for (const auto& line : cells) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i)
      text += coloured(padded(line[i], i + 1 == line.size() ? 0 : widths[i]), line[i], colour) +
              (i + 1 == line.size() ? "" : "  ");
    out += text + '\n';
  }
  return out;
}

std::string render_value(json::Value value, bool colour, unsigned indent) {
  const std::string margin(indent, ' ');
  if (indent > 40) return margin + "...\n";
  std::string out;
  if (value.is_object()) {
    std::size_t longest = 0;
    for (const auto& [key, member] : value.members()) {
      if (is_simple(member)) longest = std::max(longest, width(printable(key, 40)));
    }
    for (const auto& [key, member] : value.members()) {
      const std::string name = printable(key, 40);
      if (is_simple(member)) {
        const std::string text = printable(one_line(member), 2000);
        out += margin + padded(name + ":", longest + 2) + coloured(text, text, colour) + '\n';
      } else {
        out += margin + name + ":\n" + render_value(member, colour, indent + 2);
      }
    }
    return out;
  }
  if (value.is_array() && !is_simple(value)) {
    for (const json::Value item : value.elements()) out += margin + "-\n" + render_value(item, colour, indent + 2);
    return out;
  }
  return margin + printable(one_line(value), 2000) + '\n';
}

}  // namespace sallyport::cli
