// Internal to schema: what a schema is compiled to. Flat nodes that name each other by index; nothing changes
// afterwards.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engines/schema/number.h"
#include "engines/schema/schema.h"

namespace sallyport::schema {

using NodeId = std::uint32_t;
inline constexpr NodeId kNone = 0xFFFFFFFFU;

enum Type : std::uint8_t {
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,
  kNumber = 8,
  kString = 16,
  kArray = 32,
  kObject = 64
};

struct NumberRules {
  std::optional<Bound> minimum, maximum, exclusive_minimum, exclusive_maximum;
  std::optional<Divisor> multiple_of;
};

struct StringRules {
  std::uint64_t min_length = 0, max_length = UINT64_MAX;
  std::shared_ptr<const re2::RE2> pattern;  // null: none, or not enforced
  std::string pattern_text;
};

struct ArrayRules {
  std::uint64_t min_items = 0, max_items = UINT64_MAX;
  std::uint64_t min_contains = 1, max_contains = UINT64_MAX;
  bool unique = false;
  std::vector<NodeId> prefix;
  NodeId items = kNone;  // of those after the prefix
  NodeId contains = kNone;
};

struct Property {
  std::string name;
  NodeId node = kNone;
  bool required = false;
};

struct ObjectRules {
  std::vector<Property> properties;  // sorted by name; also those that are only required
  std::size_t required = 0;
  std::vector<std::pair<std::shared_ptr<const re2::RE2>, NodeId>> patterns;
  bool unknown_pattern = false;  // a pattern is not enforced: what is additional cannot be told
  NodeId additional = kNone;
  NodeId names = kNone;
  std::uint64_t min_properties = 0, max_properties = UINT64_MAX;
  std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required;
  std::vector<std::pair<std::string, NodeId>> dependent_schemas;
};

// `enum` and `const`: strings as they are, everything else by its canonical text. Both sorted.
struct Choices {
  std::vector<std::string> strings;
  std::vector<std::string> others;
  std::string keyword;
  std::string shown;  // for the message
};

struct InPlace {
  std::vector<NodeId> all_of;  // $ref included
  std::vector<NodeId> any_of, one_of;
  NodeId negated = kNone;
  NodeId condition = kNone, then = kNone, otherwise = kNone;
  NodeId dynamic_target = kNone;  // $dynamicRef where it starts from
  std::string dynamic_name;       // its anchor; empty: an ordinary reference
};

struct Node {
  std::uint8_t types = 0;        // 0: any
  std::optional<bool> constant;  // a boolean schema
  std::uint32_t resource = 0;    // the schema resource it stands in, for the dynamic scope
  std::unique_ptr<NumberRules> number;
  std::unique_ptr<StringRules> string;
  std::unique_ptr<ArrayRules> array;
  std::unique_ptr<ObjectRules> object;
  std::vector<Choices> choices;
  std::unique_ptr<InPlace> in_place;
  NodeId unevaluated_properties = kNone;
  NodeId unevaluated_items = kNone;
};

struct Program {
  std::vector<Node> nodes;                                                  // 0 is the root
  std::map<std::pair<std::uint32_t, std::string>, NodeId> dynamic_anchors;  // (resource, name)
  bool dynamic = false;                                                     // some $dynamicRef needs the scope
  std::uint64_t steps_max = 0;
  unsigned depth_max = 0;
  std::vector<std::string> not_enforced;
};

// The keyword and pointer-less reason of references that go round without consuming any of the instance.
bool has_reference_cycle(const Program& program);

}  // namespace sallyport::schema
