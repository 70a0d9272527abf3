// Inside config only: the YAML text as a small tree with lines. Stricter than YAML: one document, no anchors, aliases
// or tags (alias bombs), no doubled keys, scalar keys only, at most 1 MiB, depth 16, 50,000 nodes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/mistakes.h"

namespace sallyport::config {

struct Entry;

struct Node {
  enum class Kind : unsigned char { null, scalar, list, map };
  Kind kind = Kind::null;
  bool quoted = false;  // a quoted scalar is a string, whatever it looks like
  int line = 1;
  std::string text;
  std::vector<Node> items;
  std::vector<Entry> entries;

  [[nodiscard]] bool is(Kind k) const { return kind == k; }
};

struct Entry {
  std::string key;
  int line = 1;
  Node value;
};

// The root of `text` (null for an empty document). What is refused goes to `mistakes`; the tree is then incomplete.
Node read_yaml(std::string_view text, Mistakes& mistakes);

}  // namespace sallyport::config
