// The keywords, one handler each kind: JSON Schema 2020-12 (Core 10, 11; Validation 6) and draft-07.
#include <algorithm>

#include "engines/schema/compiler.h"
#include "engines/schema/ecma.h"
#include "json/canonical.h"

namespace sallyport::schema {

const std::vector<Compiler::Rule>& Compiler::rules() {
  using C = Compiler;
  static const std::vector<Rule> sorted = [] {
    std::vector<Rule> table = {
        {"type", &C::type, true},
        {"enum", &C::choices, true},
        {"const", &C::choices, true},
        {"minimum", &C::bound, true},
        {"maximum", &C::bound, true},
        {"exclusiveMinimum", &C::bound, true},
        {"exclusiveMaximum", &C::bound, true},
        {"multipleOf", &C::multiple_of, true},
        {"minLength", &C::count, true},
        {"maxLength", &C::count, true},
        {"minItems", &C::count, true},
        {"maxItems", &C::count, true},
        {"minContains", &C::count, true},
        {"maxContains", &C::count, true},
        {"minProperties", &C::count, true},
        {"maxProperties", &C::count, true},
        {"pattern", &C::pattern, true},
        {"uniqueItems", &C::unique_items, true},
        {"required", &C::required, true},
        {"dependentRequired", &C::dependencies, true},
        {"dependentSchemas", &C::dependencies, false},
        {"dependencies", &C::dependencies, false},
        {"properties", &C::properties, false},
        {"patternProperties", &C::pattern_properties, false},
        {"additionalProperties", &C::object_schema, false},
        {"propertyNames", &C::object_schema, false},
        {"items", &C::items, false},
        {"prefixItems", &C::items, false},
        {"additionalItems", &C::items, false},
        {"contains", &C::array_schema, false},
        {"allOf", &C::list, false},
        {"anyOf", &C::list, false},
        {"oneOf", &C::list, false},
        {"not", &C::in_place_schema, false},
        {"if", &C::in_place_schema, false},
        {"then", &C::in_place_schema, false},
        {"else", &C::in_place_schema, false},
        {"$ref", &C::reference, false},
        {"$dynamicRef", &C::reference, false},
        {"unevaluatedProperties", &C::unevaluated, false},
        {"unevaluatedItems", &C::unevaluated, false},
    };
    std::ranges::sort(table, {}, &Rule::keyword);
    return table;
  }();
  return sorted;
}

bool Compiler::type(std::string_view, json::Value value) {
  const auto add = [this](json::Value name) {
    constexpr std::string_view kNames[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
    const auto* known = std::ranges::find(kNames, name.as_string().value_or(""));
    if (known == std::end(kNames)) return malformed("\"type\" names no JSON type");
    node().types = static_cast<std::uint8_t>(node().types | (1U << (known - kNames)));
    return true;
  };
  if (!value.is_array()) return add(value);
  if (value.size() == 0) return malformed("\"type\" is empty");
  for (const json::Value name : value.elements()) {
    if (!add(name)) return false;
  }
  return true;
}

bool Compiler::choices(std::string_view keyword, json::Value value) {
  constexpr std::size_t kShownMax = 80;
  if (keyword == "enum" && !value.is_array()) return malformed("\"enum\" is no array");
  Choices out;
  out.keyword = keyword;
  const auto add = [&out](json::Value choice) {
    if (const auto text = choice.as_string())
      out.strings.emplace_back(*text);
    else
      out.others.push_back(json::canonical(choice));
  };
  if (keyword == "const") add(value);
  for (const json::Value choice : value.elements()) {
    if (keyword == "enum") add(choice);
  }
  std::ranges::sort(out.strings);
  std::ranges::sort(out.others);
  if (value.raw().size() <= kShownMax) out.shown = value.raw();
  node().choices.push_back(std::move(out));
  return true;
}

bool Compiler::bound(std::string_view keyword, json::Value value) {
  if (!value.is_number()) return malformed("\"" + std::string(keyword) + "\" is no number");
  NumberRules& rules = made(node().number);
  if (keyword == "minimum")
    rules.minimum.emplace(value);
  else if (keyword == "maximum")
    rules.maximum.emplace(value);
  else if (keyword == "exclusiveMinimum")
    rules.exclusive_minimum.emplace(value);
  else
    rules.exclusive_maximum.emplace(value);
  return true;
}

bool Compiler::multiple_of(std::string_view, json::Value value) {
  if (!value.is_number()) return malformed("\"multipleOf\" is no number");
  made(node().number).multiple_of = Divisor::make(value);
  return node().number->multiple_of.has_value() || malformed("\"multipleOf\" is not above 0, or has over 18 digits");
}

bool Compiler::count(std::string_view keyword, json::Value value) {
  const auto number = value.as_double();
  if (!number || *number < 0 || *number != static_cast<double>(static_cast<std::uint64_t>(std::min(*number, 1e18)))) {
    return malformed("\"" + std::string(keyword) + "\" is no natural number up to 10^18");
  }
  const auto n = static_cast<std::uint64_t>(*number);
  if (keyword == "minLength")
    made(node().string).min_length = n;
  else if (keyword == "maxLength")
    made(node().string).max_length = n;
  else if (keyword == "minItems")
    made(node().array).min_items = n;
  else if (keyword == "maxItems")
    made(node().array).max_items = n;
  else if (keyword == "minProperties")
    made(node().object).min_properties = n;
  else if (keyword == "maxProperties")
    made(node().object).max_properties = n;
  else if (draft7_)
    return true;
  else if (keyword == "minContains")
    made(node().array).min_contains = n;
  else
    made(node().array).max_contains = n;
  return true;
}

std::shared_ptr<const re2::RE2> Compiler::regex(std::string_view text) {
  constexpr std::int64_t kMemoryMax = 1 << 20;
  auto& known = regexes_[std::string(text)];
  if (known) return known;
  const auto translated = text.size() <= limits_.pattern_bytes_max ? ecma_to_re2(text) : std::nullopt;
  if (translated) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMemoryMax);
    options.set_never_capture(true);
    auto compiled = std::make_shared<const re2::RE2>(*translated, options);
    if (compiled->ok()) return known = std::move(compiled);
  }
  const std::string shown(text.substr(0, 256));
  if (std::ranges::find(out_.not_enforced, shown) == out_.not_enforced.end()) out_.not_enforced.push_back(shown);
  return nullptr;
}

bool Compiler::pattern(std::string_view, json::Value value) {
  const auto text = value.as_string();
  if (!text) return malformed("\"pattern\" is no string");
  made(node().string).pattern = regex(*text);
  node().string->pattern_text = text->substr(0, 80);
  return true;
}

bool Compiler::unique_items(std::string_view, json::Value value) {
  if (!value.is_bool()) return malformed("\"uniqueItems\" is no boolean");
  if (*value.as_bool()) made(node().array).unique = true;
  return true;
}

// Names are views into the document, which lives as long as the registry.
Property& Compiler::property(std::string_view name) {
  auto& all = made(node().object).properties;
  const auto [entry, fresh] = property_index_.try_emplace(name, all.size());
  if (fresh) all.push_back({std::string(name)});
  return all[entry->second];
}

bool Compiler::strings(json::Value value, std::vector<std::string>& out) {
  if (!value.is_array()) return malformed("an array of names is expected");
  for (const json::Value element : value.elements()) {
    const auto name = element.as_string();
    if (!name) return malformed("an array of names is expected");
    out.emplace_back(*name);
  }
  return true;
}

bool Compiler::required(std::string_view, json::Value value) {
  std::vector<std::string> checked;
  if (!strings(value, checked)) return false;
  for (const json::Value name : value.elements()) property(*name.as_string()).required = true;
  return true;
}

bool Compiler::properties(std::string_view, json::Value value) {
  if (!value.is_object()) return malformed("\"properties\" is no object");
  for (const auto [name, schema] : value.members()) {
    if (!subschema(schema, property(name).node)) return false;
  }
  return true;
}

bool Compiler::pattern_properties(std::string_view, json::Value value) {
  if (!value.is_object()) return malformed("\"patternProperties\" is no object");
  for (const auto [text, schema] : value.members()) {
    NodeId target = kNone;
    if (!subschema(schema, target)) return false;
    if (auto compiled = regex(text))
      made(node().object).patterns.emplace_back(std::move(compiled), target);
    else
      made(node().object).unknown_pattern = true;
  }
  return true;
}

bool Compiler::object_schema(std::string_view keyword, json::Value value) {
  NodeId target = kNone;
  if (!subschema(value, target)) return false;
  (keyword == "propertyNames" ? made(node().object).names : made(node().object).additional) = target;
  return true;
}

// `dependencies` is draft-07's name for both of the others; in 2020-12 it means nothing.
bool Compiler::dependencies(std::string_view keyword, json::Value value) {
  if (draft7_ != (keyword == "dependencies")) return true;
  if (!value.is_object()) return malformed("\"" + std::string(keyword) + "\" is no object");
  for (const auto [name, wanted] : value.members()) {
    if (wanted.is_array() && keyword != "dependentSchemas") {
      auto& entry = made(node().object).dependent_required.emplace_back(name, std::vector<std::string>());
      if (!strings(wanted, entry.second)) return false;
    } else if (keyword == "dependentRequired") {
      return malformed("\"dependentRequired\" wants arrays of names");
    } else {
      NodeId target = kNone;
      if (!subschema(wanted, target)) return false;
      made(node().object).dependent_schemas.emplace_back(name, target);
    }
  }
  return true;
}

// An array of schemas under `items` is draft-07's tuple; it is taken so in 2020-12 too, since tools write it there.
bool Compiler::items(std::string_view keyword, json::Value value) {
  if (keyword == "prefixItems") return draft7_ || subschemas(value, made(node().array).prefix);
  if (keyword == "additionalItems") return !array_items_ || subschema(value, made(node().array).items);
  if (value.is_array()) return subschemas(value, made(node().array).prefix);
  return subschema(value, made(node().array).items);
}

bool Compiler::array_schema(std::string_view, json::Value value) {
  return subschema(value, made(node().array).contains);
}

bool Compiler::list(std::string_view keyword, json::Value value) {
  if (value.size() == 0) return malformed("\"" + std::string(keyword) + "\" is no array of schemas, or empty");
  InPlace& in = made(node().in_place);
  std::vector<NodeId> branches;
  if (!subschemas(value, branches)) return false;
  auto& out = keyword == "allOf" ? in.all_of : keyword == "anyOf" ? in.any_of : in.one_of;
  out.insert(out.end(), branches.begin(), branches.end());
  return true;
}

bool Compiler::in_place_schema(std::string_view keyword, json::Value value) {
  InPlace& in = made(node().in_place);
  NodeId target = kNone;
  if (!subschema(value, target)) return false;
  (keyword == "not"    ? in.negated
   : keyword == "if"   ? in.condition
   : keyword == "then" ? in.then
                       : in.otherwise) = target;
  return true;
}

bool Compiler::reference(std::string_view keyword, json::Value value) {
  if (keyword == "$dynamicRef" && draft7_) return true;
  const auto uri = value.as_string();
  if (!uri) return malformed("\"" + std::string(keyword) + "\" is no string");
  auto target = registry_.find(resource_, *uri);
  if (!target) return malformed(target.error().detail);
  NodeId id = kNone;
  if (!node_for(target->place, id)) return false;
  InPlace& in = made(node().in_place);
  if (keyword == "$ref" || target->dynamic_name.empty()) {
    in.all_of.push_back(id);
    return true;
  }
  in.dynamic_target = id;
  in.dynamic_name = target->dynamic_name;
  out_.dynamic = true;
  dynamic_names_.insert(target->dynamic_name);
  return true;
}

bool Compiler::unevaluated(std::string_view keyword, json::Value value) {
  if (draft7_) return true;
  NodeId target = kNone;
  if (!subschema(value, target)) return false;
  (keyword == "unevaluatedItems" ? node().unevaluated_items : node().unevaluated_properties) = target;
  return true;
}

}  // namespace sallyport::schema
