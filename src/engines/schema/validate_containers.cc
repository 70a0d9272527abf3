// Arrays and objects (Core 10.3, Validation 6.4 and 6.5), and what is left unevaluated (Core 11).
#include <algorithm>

#include "engines/schema/validator.h"
#include "json/canonical.h"

namespace sallyport::schema {
namespace {

const Property* find_property(const std::vector<Property>& sorted, std::string_view name) {
  constexpr std::size_t kLinearMax = 8;
  if (sorted.size() <= kLinearMax) {
    for (const Property& property : sorted) {
      if (property.name == name) return &property;
    }
    return nullptr;
  }
  const auto found =
      std::ranges::lower_bound(sorted, name, {}, [](const Property& p) { return std::string_view(p.name); });
  return found != sorted.end() && found->name == name ? &*found : nullptr;
}

std::string shown(std::string_view name) { return "\"" + std::string(name.substr(0, 64)) + "\""; }

}  // namespace

bool Validator::array(const ArrayRules& rules, json::Value value, const Path* path, Evaluated* evaluated) {
  const std::size_t size = value.size();
  if (size < rules.min_items) {
    return refuse(path, "minItems", "must have at least " + std::to_string(rules.min_items) + " items");
  }
  if (size > rules.max_items) {
    return refuse(path, "maxItems", "must have at most " + std::to_string(rules.max_items) + " items");
  }
  if (rules.unique && size > 1 && !unique(value, path)) return false;
  if (!rules.prefix.empty() || rules.items != kNone) {
    std::size_t i = 0;
    for (const json::Value element : value.elements()) {
      const NodeId target = i < rules.prefix.size() ? rules.prefix[i] : rules.items;
      if (target == kNone) break;
      const Path here{path, {}, i, false};
      if (!apply(target, element, &here, nullptr)) return false;
      if (evaluated != nullptr) evaluated->mark(i);
      ++i;
    }
  }
  return rules.contains == kNone || contains(rules, value, path, evaluated);
}

bool Validator::contains(const ArrayRules& rules, json::Value value, const Path* path, Evaluated* evaluated) {
  std::uint64_t found = 0;
  std::size_t i = 0;
  for (const json::Value element : value.elements()) {
    const Path here{path, {}, i, false};
    if (holds(rules.contains, element, &here, nullptr)) {
      ++found;
      if (evaluated != nullptr) evaluated->mark(i);
    }
    ++i;
  }
  if (found < rules.min_contains) {
    return refuse(path, "contains",
                  "must contain at least " + std::to_string(rules.min_contains) + " items of the wanted kind");
  }
  if (found > rules.max_contains) {
    return refuse(path, "maxContains",
                  "must contain at most " + std::to_string(rules.max_contains) + " items of that kind");
  }
  return true;
}

// Equal values have equal canonical texts; sorting them is n log n whatever the values are.
bool Validator::unique(json::Value value, const Path* path) {
  if (!spend(value.size() + value.raw().size() / 8)) return false;
  std::vector<std::string> texts;
  texts.reserve(value.size());
  for (const json::Value element : value.elements()) texts.push_back(json::canonical(element));
  std::ranges::sort(texts);
  if (std::ranges::adjacent_find(texts) == texts.end()) return true;
  return refuse(path, "uniqueItems", "must not repeat an item");
}

bool Validator::object(const ObjectRules& rules, json::Value value, const Path* path, Evaluated* evaluated) {
  if (value.size() < rules.min_properties) {
    return refuse(path, "minProperties", "must have at least " + std::to_string(rules.min_properties) + " members");
  }
  if (value.size() > rules.max_properties) {
    return refuse(path, "maxProperties", "must have at most " + std::to_string(rules.max_properties) + " members");
  }
  return members(rules, value, path, evaluated) && dependents(rules, value, path, evaluated);
}

// One pass over the members; each is looked up among the properties once.
bool Validator::members(const ObjectRules& rules, json::Value value, const Path* path, Evaluated* evaluated) {
  std::size_t required = 0;
  std::size_t i = 0;
  for (const json::Member member : value.members()) {
    const Property* property = find_property(rules.properties, member.key);
    if (property != nullptr && property->required) ++required;
    bool known = false;
    if (!this->member(rules, property, member, path, known)) return false;
    if (known && evaluated != nullptr) evaluated->mark(i);
    ++i;
  }
  return required == rules.required || missing(rules, value, path);
}

bool Validator::member(const ObjectRules& rules, const Property* property, json::Member member, const Path* path,
                       bool& known) {
  const Path here{path, member.key, 0, true};
  if (rules.names != kNone && !name(rules, member.value.member_key(), &here)) return false;
  if (property != nullptr && property->node != kNone) {
    known = true;
    if (!apply(property->node, member.value, &here, nullptr)) return false;
  }
  for (const auto& [pattern, target] : rules.patterns) {
    if (!spend(1 + member.key.size() / 64)) return false;
    if (!re2::RE2::PartialMatch({member.key.data(), member.key.size()}, *pattern)) continue;
    known = true;
    if (!apply(target, member.value, &here, nullptr)) return false;
  }
  if (known || rules.unknown_pattern || rules.additional == kNone) return spend(1);
  known = true;
  const Node& additional = program_.nodes[rules.additional];
  if (additional.constant == false) {
    return refuse(path, "additionalProperties", "must not have the member " + shown(member.key));
  }
  return apply(rules.additional, member.value, &here, nullptr);
}

bool Validator::missing(const ObjectRules& rules, json::Value value, const Path* path) {
  for (const Property& property : rules.properties) {
    if (!spend(1 + value.size() / 8)) return false;
    if (property.required && !value.find(property.name)) {
      return refuse(path, "required", "must have the member " + shown(property.name));
    }
  }
  return false;
}

// A name is an instance of its own (Core 10.3.2.4).
bool Validator::name(const ObjectRules& rules, json::Value name, const Path* path) {
  bool valid = false;
  {
    const Quiet quiet(*this);
    valid = apply(rules.names, name, path, nullptr);
  }
  return valid || refuse(path, "propertyNames", "has a name that is not allowed");
}

bool Validator::dependents(const ObjectRules& rules, json::Value value, const Path* path, Evaluated* evaluated) {
  for (const auto& [trigger, names] : rules.dependent_required) {
    if (!spend(1 + (names.size() + 1) * value.size() / 8)) return false;
    if (!value.find(trigger)) continue;
    for (const std::string& wanted : names) {
      if (value.find(wanted)) continue;
      return refuse(path, "dependentRequired", "must have the member " + shown(wanted) + " beside " + shown(trigger));
    }
  }
  for (const auto& [trigger, target] : rules.dependent_schemas) {
    if (!spend(1 + value.size() / 8)) return false;
    if (value.find(trigger) && !apply(target, value, path, evaluated)) return false;
  }
  return true;
}

bool Validator::unevaluated(const Node& node, json::Value value, const Path* path, Evaluated& evaluated) {
  std::size_t i = 0;
  if (value.is_array() && node.unevaluated_items != kNone) {
    for (const json::Value element : value.elements()) {
      const Path here{path, {}, i, false};
      if (!evaluated.has(i) && !apply(node.unevaluated_items, element, &here, nullptr)) return false;
      ++i;
    }
    evaluated.mark_all();
  }
  if (value.is_object() && node.unevaluated_properties != kNone) {
    for (const json::Member member : value.members()) {
      const Path here{path, member.key, 0, true};
      if (!evaluated.has(i) && !apply(node.unevaluated_properties, member.value, &here, nullptr)) return false;
      ++i;
    }
    evaluated.mark_all();
  }
  return true;
}

}  // namespace sallyport::schema
