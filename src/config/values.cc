#include "config/values.h"

#include <algorithm>
#include <charconv>

#include "config/config.h"

namespace sallyport::config {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return out;
}

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text.substr(0, 60)) + (text.size() > 60 ? "...'" : "'");
}

std::string range_text(const RowBase& row) {
  return std::to_string(row.min) + " to " + std::to_string(row.max) +
         (row.unit.empty() ? "" : " " + std::string(row.unit));
}

ReadValue integer_of(const RowBase& row, std::string_view text, std::int64_t scale) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return Wrong{in_quotes(text) + " is no whole number", "write digits only, " + range_text(row)};
  }
  if (number <= 0 && row.min > 0) {
    return Wrong{"'unlimited' cannot be configured, and " + std::to_string(number) + " would mean it",
                 "give a number, " + range_text(row)};
  }
  if (number > row.max / scale || number < row.min / scale) {
    return Wrong{std::to_string(number) + " is out of range", "give a number, " + range_text(row)};
  }
  return Value(number * scale);
}

ReadValue boolean_of(std::string_view text, bool lenient) {
  const std::string word = lenient ? lower(text) : std::string(text);
  if (word == "true" || (lenient && (word == "1" || word == "yes" || word == "on"))) return Value(true);
  if (word == "false" || (lenient && (word == "0" || word == "no" || word == "off"))) return Value(false);
  return Wrong{in_quotes(text) + " is neither true nor false", "write true or false"};
}

ReadValue choice_of(const RowBase& row, std::string_view text, bool lenient) {
  std::vector<std::string> known;
  std::string all;
  for (const std::string_view choice : row.choices) {
    if (choice == text || (lenient && lower(choice) == lower(text))) return Value(std::string(choice));
    known.emplace_back(choice);
    all += (all.empty() ? "" : ", ") + std::string(choice);
  }
  const std::string near = nearest(text, known);
  return Wrong{in_quotes(text) + " is not one of " + all,
               near.empty() ? "choose one of them" : "did you mean '" + near + "'?"};
}

// Length, control characters and the row's own check; of a text, or of one item.
std::optional<Wrong> wrong_text(const RowBase& row, std::string_view text) {
  if (row.max > 0 && text.size() > static_cast<std::size_t>(row.max)) {
    return Wrong{"longer than " + std::to_string(row.max) + " bytes", "shorten it"};
  }
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    return Wrong{"holds control characters", "remove them"};
  }
  if (row.check == nullptr || (text.empty() && row.min == 0)) return std::nullopt;
  const std::string reason = row.check(text);
  if (reason.empty()) return std::nullopt;
  const auto cut = reason.find("; fix: ");
  return Wrong{in_quotes(text) + " " + reason.substr(0, cut), cut == std::string::npos ? "" : reason.substr(cut + 7)};
}

ReadValue text_of(const RowBase& row, std::string_view text) {
  if (row.min > 0 && text.empty()) return Wrong{"must not be empty", "give a value"};
  if (auto wrong = wrong_text(row, text)) return *wrong;
  return Value(std::string(text));
}

ReadValue list_of(const RowBase& row, std::vector<std::string> items) {
  for (const std::string& item : items) {
    if (auto wrong = wrong_text(row, item)) return *wrong;
  }
  if (row.min > 0 && items.empty()) return Wrong{"must name one at least", "list one, or leave the key out"};
  return Value(std::move(items));
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (!item.empty()) out.emplace_back(item);
  }
  return out;
}

Wrong wrong_kind(const RowBase& row, const Node& node) {
  constexpr std::string_view kKinds[]{"nothing", "a single value", "a list", "a map"};
  std::string fix = "write a " + std::string(type_name(row.type));
  if (row.type == Type::boolean) fix = "write true or false, without quotes";
  if (row.type == Type::integer) fix = "write a whole number without quotes";
  if (row.type == Type::list) fix = "write [one, two]";
  if (row.type == Type::map) fix = "write NAME: value pairs";
  if (node.quoted) return {"wrong type: a quoted text where " + std::string(type_name(row.type)) + " is expected", fix};
  return {"wrong type: " + std::string(kKinds[static_cast<std::size_t>(node.kind)]) + " where " +
              std::string(type_name(row.type)) + " is expected",
          fix};
}

ReadValue list_of_node(const RowBase& row, const Node& node) {
  std::vector<std::string> items;
  for (const Node& item : node.items) {
    if (!item.is(Node::Kind::scalar)) return wrong_kind(row, item);
    items.push_back(item.text);
  }
  return list_of(row, std::move(items));
}

ReadValue map_of_node(const RowBase& row, const Node& node) {
  std::map<std::string, std::string> out;
  for (const Entry& entry : node.entries) {
    if (!entry.value.is(Node::Kind::scalar) && !entry.value.is(Node::Kind::null)) return wrong_kind(row, entry.value);
    if (entry.key.empty() || entry.key.find_first_of("=\n ") != std::string::npos) {
      return Wrong{in_quotes(entry.key) + " is no name", "use letters, digits, '_' and '-'"};
    }
    if (auto wrong = wrong_text(row, entry.value.text)) return *wrong;
    out[entry.key] = entry.value.text;
  }
  return Value(std::move(out));
}

Wrong literal_secret() {
  return {"a secret must not stand in the file",
          "keep it in a file with mode 0600 and write ${file:PATH}, or export it and write ${env:NAME}"};
}

}  // namespace

bool is_reference(std::string_view text) {
  if (!text.starts_with("${") || !text.ends_with('}')) return false;
  const std::string_view inner = text.substr(2, text.size() - 3);
  if (inner.find_first_of("{}$") != std::string_view::npos) return false;
  for (const std::string_view kind : {"env:", "file:", "dir:", "vault:", "kv:", "aws:"}) {
    if (inner.starts_with(kind) && inner.size() > kind.size()) return true;
  }
  return false;
}

ReadValue value_of_node(const RowBase& row, const Node& node) {
  if (row.type == Type::list) return node.is(Node::Kind::list) ? list_of_node(row, node) : wrong_kind(row, node);
  if (row.type == Type::map) return node.is(Node::Kind::map) ? map_of_node(row, node) : wrong_kind(row, node);
  if (!node.is(Node::Kind::scalar)) return wrong_kind(row, node);
  if (node.quoted && (row.type == Type::boolean || row.type == Type::integer)) return wrong_kind(row, node);
  switch (row.type) {
    case Type::boolean: return boolean_of(node.text, false);
    case Type::integer: return integer_of(row, node.text, 1);
    case Type::choice: return choice_of(row, node.text, false);
    case Type::secret:
      if (!is_reference(node.text)) return literal_secret();
      return Value(node.text);
    default: return text_of(row, node.text);
  }
}

ReadValue value_of_text(const RowBase& row, std::string_view text, std::int64_t scale) {
  switch (row.type) {
    case Type::boolean: return boolean_of(text, true);
    case Type::integer: return integer_of(row, text, scale);
    case Type::choice: return choice_of(row, text, true);
    case Type::list: return list_of(row, split(text));
    case Type::map: return Value(std::map<std::string, std::string>{});
    default: return text_of(row, text);
  }
}

std::string show(const Value& value) {
  if (const bool* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const auto* n = std::get_if<std::int64_t>(&value)) return std::to_string(*n);
  if (const auto* s = std::get_if<std::string>(&value)) return *s;
  std::string out;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& item : *list) out += (out.empty() ? "" : ", ") + item;
    return "[" + out + "]";
  }
  for (const auto& [key, text] : std::get<std::map<std::string, std::string>>(value)) {
    out += (out.empty() ? "" : ", ") + key + ": " + text;
  }
  return "{" + out + "}";
}

}  // namespace sallyport::config
