#include "engines/schema/validator.h"

#include <algorithm>

#include "json/canonical.h"

namespace sallyport::schema {

namespace {

// Work may grow with the instance, but a small instance cannot be made to cost much by a hostile schema.
std::uint64_t budget(const Program& program, json::Value instance) {
  constexpr std::uint64_t kBase = 50'000;
  constexpr std::uint64_t kPerByte = 64;
  return std::min<std::uint64_t>(program.steps_max, kBase + kPerByte * instance.raw().size());
}

std::uint8_t type_bits(json::Value value) {
  using enum json::Kind;
  switch (value.kind()) {
    case null:
      return kNull;
    case boolean:
      return kBoolean;
    case integer:
    case unsigned_integer:
      return kInteger | kNumber;
    case real:
    case big_number:
      return kNumber;
    case string:
      return kString;
    case array:
      return kArray;
    case object:
      return kObject;
  }
  return 0;
}

std::string type_names(std::uint8_t types) {
  constexpr std::string_view kNames[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
  std::string out;
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if ((types & (1U << i)) == 0) continue;
    if (!out.empty()) out += " or ";
    out += kNames[i];
  }
  return out;
}

}  // namespace

Validator::Validator(const Program& program, json::Value instance)
    : program_(program), instance_(instance), steps_left_(budget(program, instance)) {}

std::optional<Violation> Validator::run() {
  const bool valid = apply(0, instance_, nullptr, nullptr);
  if (exhausted_) return Violation{"", "budget", "checking this value against the schema takes too much work"};
  if (valid) return std::nullopt;
  if (!violation_) return Violation{"", "schema", "does not fit the schema"};
  return std::move(violation_);
}

bool Validator::spend(std::uint64_t steps) {
  if (steps > steps_left_) {
    exhausted_ = true;
    steps_left_ = 0;
    return false;
  }
  steps_left_ -= steps;
  return !exhausted_;
}

bool Validator::refuse(const Path* path, std::string_view keyword, std::string message) {
  if (quiet_ > 0 || violation_ || exhausted_) return false;
  std::vector<const Path*> links;
  for (; path != nullptr; path = path->parent) links.push_back(path);
  std::string pointer;
  for (auto link = links.rbegin(); link != links.rend(); ++link) {
    pointer += '/';
    if (!(*link)->is_key) pointer += std::to_string((*link)->index);
    for (const char c : (*link)->key.substr(0, 128)) {
      if (c == '~')
        pointer += "~0";
      else if (c == '/')
        pointer += "~1";
      else
        pointer += c;
    }
  }
  violation_ = Violation{std::move(pointer), std::string(keyword), std::move(message)};
  return false;
}

bool Validator::apply(NodeId id, json::Value value, const Path* path, Evaluated* evaluated) {
  if (!spend(1)) return false;
  const Node& node = program_.nodes[id];
  if (node.constant) return *node.constant || refuse(path, "false", "is not allowed here");
  if (depth_ >= program_.depth_max) {
    exhausted_ = true;
    return false;
  }
  ++depth_;
  const bool entered = program_.dynamic && (scope_.empty() || scope_.back() != node.resource);
  if (entered) scope_.push_back(node.resource);
  bool valid = false;
  if (node.unevaluated_items == kNone && node.unevaluated_properties == kNone) {
    valid = apply_rules(node, value, path, evaluated);
  } else if (spend(value.size() / 8)) {
    Evaluated own(value.size());
    valid = apply_rules(node, value, path, &own) && unevaluated(node, value, path, own);
    if (valid && evaluated != nullptr) evaluated->merge(own);
  }
  if (entered) scope_.pop_back();
  --depth_;
  return valid;
}

bool Validator::apply_rules(const Node& node, json::Value value, const Path* path, Evaluated* evaluated) {
  if (node.types != 0 && !type(node, value, path)) return false;
  if (!node.choices.empty() && !choices(node, value, path)) return false;
  if (node.number && value.is_number() && !number(*node.number, value, path)) return false;
  if (node.string && value.is_string() && !string(*node.string, value, path)) return false;
  if (node.array && value.is_array() && !array(*node.array, value, path, evaluated)) return false;
  if (node.object && value.is_object() && !object(*node.object, value, path, evaluated)) return false;
  return !node.in_place || in_place(*node.in_place, value, path, evaluated);
}

bool Validator::holds(NodeId id, json::Value value, const Path* path, Evaluated* evaluated) {
  const Quiet quiet(*this);
  if (evaluated == nullptr) return apply(id, value, path, nullptr);
  if (!spend(value.size() / 8)) return false;
  Evaluated own(value.size());
  if (!apply(id, value, path, &own)) return false;
  evaluated->merge(own);
  return true;
}

bool Validator::type(const Node& node, json::Value value, const Path* path) {
  if ((type_bits(value) & node.types) != 0) return true;
  // 1.0 is an integer (Validation 6.1.1).
  if ((node.types & kInteger) != 0 && value.is_number() && spend(value.raw().size() / 16) && Number(value).is_integer())
    return true;
  return refuse(path, "type", "must be of type " + type_names(node.types));
}

bool Validator::choices(const Node& node, json::Value value, const Path* path) {
  if (!spend(node.choices.size() + value.raw().size() / 16)) return false;
  for (const Choices& choices : node.choices) {
    const auto text = value.as_string();
    const bool found =
        text ? std::ranges::binary_search(choices.strings, *text)
             : !choices.others.empty() && std::ranges::binary_search(choices.others, json::canonical(value));
    if (found) continue;
    std::string message =
        choices.keyword == "const" ? "must be the one allowed value" : "must be one of the allowed values";
    if (!choices.shown.empty()) message += " " + choices.shown;
    return refuse(path, choices.keyword, std::move(message));
  }
  return true;
}

bool Validator::number(const NumberRules& rules, json::Value value, const Path* path) {
  if (!spend(value.raw().size() / 16)) return false;
  const Number number(value);
  if (rules.minimum && compare(number, rules.minimum->number) < 0) {
    return refuse(path, "minimum", "must be at least " + rules.minimum->token);
  }
  if (rules.maximum && compare(number, rules.maximum->number) > 0) {
    return refuse(path, "maximum", "must be at most " + rules.maximum->token);
  }
  if (rules.exclusive_minimum && compare(number, rules.exclusive_minimum->number) <= 0) {
    return refuse(path, "exclusiveMinimum", "must be greater than " + rules.exclusive_minimum->token);
  }
  if (rules.exclusive_maximum && compare(number, rules.exclusive_maximum->number) >= 0) {
    return refuse(path, "exclusiveMaximum", "must be less than " + rules.exclusive_maximum->token);
  }
  if (rules.multiple_of && !rules.multiple_of->divides(number)) {
    return refuse(path, "multipleOf", "must be a multiple of " + rules.multiple_of->token);
  }
  return true;
}

bool Validator::string(const StringRules& rules, json::Value value, const Path* path) {
  const std::string_view text = value.as_string().value_or("");
  if (!spend(text.size() / 64)) return false;
  if (rules.min_length > 0 || rules.max_length != UINT64_MAX) {
    // Characters, not bytes (Validation 6.3): every byte but the continuations.
    const auto length = static_cast<std::uint64_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
    if (length < rules.min_length) {
      return refuse(path, "minLength", "must have at least " + std::to_string(rules.min_length) + " characters");
    }
    if (length > rules.max_length) {
      return refuse(path, "maxLength", "must have at most " + std::to_string(rules.max_length) + " characters");
    }
  }
  if (rules.pattern && !re2::RE2::PartialMatch({text.data(), text.size()}, *rules.pattern)) {
    return refuse(path, "pattern", "must match the pattern " + rules.pattern_text);
  }
  return true;
}

}  // namespace sallyport::schema
