#include "engines/schema/compiler.h"

#include <algorithm>

namespace sallyport::schema {

Result<void> Compiler::run(std::string_view text) {
  out_.steps_max = limits_.steps_max;
  out_.depth_max = limits_.depth_max;
  SP_TRY(const Place root, registry_.add(text, "schema:///", Dialect{}));
  NodeId id = kNone;
  if (!node_for(root, id) || !compile_pending()) return fail(std::move(error_));
  if (has_reference_cycle(out_)) {
    return fail(Code::config, "schema: references go round without consuming any of the instance");
  }
  return {};
}

bool Compiler::compile_pending() {
  do {
    while (!queue_.empty()) {
      place_ = queue_.front().first;
      current_ = queue_.front().second;
      queue_.pop_front();
      if (!compile_node()) return false;
    }
    if (!compile_dynamic_anchors()) return false;
  } while (!queue_.empty());
  return true;
}

// Every anchor that a $dynamicRef may find at run time has to be there, in whichever resource.
bool Compiler::compile_dynamic_anchors() {
  constexpr std::size_t kAnchorsMax = 256;
  for (std::uint32_t i = 0; i < registry_.size(); ++i) {
    for (const auto& [name, anchor] : registry_.resource(i).anchors) {
      if (!anchor.dynamic || !dynamic_names_.contains(name) || out_.dynamic_anchors.contains({i, name})) continue;
      if (out_.dynamic_anchors.size() >= kAnchorsMax) return malformed("too many dynamic anchors");
      NodeId target = kNone;
      if (!node_for(anchor.place, target)) return false;
      out_.dynamic_anchors.emplace(std::pair(i, name), target);
    }
  }
  return true;
}

bool Compiler::compile_node() {
  resource_ = registry_.resource_of(place_);
  const Dialect& dialect = registry_.resource(resource_).dialect;
  draft7_ = dialect.draft7;
  node().resource = resource_;
  if (const auto constant = place_.value.as_bool()) {
    node().constant = constant;
    return true;
  }
  if (!place_.value.is_object()) return malformed("a schema is an object or a boolean");
  property_index_.clear();
  const auto items = place_.value.find("items");
  array_items_ = items && items->is_array();
  // draft-07: whatever stands beside a $ref is not looked at.
  if (draft7_ && place_.value.string_at("$ref")) return reference("$ref", *place_.value.find("$ref"));
  for (const auto [keyword, value] : place_.value.members()) {
    const auto rule = std::ranges::lower_bound(rules(), keyword, {}, &Rule::keyword);
    if (rule == rules().end() || rule->keyword != keyword || (rule->validation && !dialect.validation)) continue;
    if (!(this->*rule->handler)(keyword, value)) return false;
  }
  finish_node();
  return true;
}

void Compiler::finish_node() {
  if (node().object) {
    ObjectRules& object = *node().object;
    std::ranges::sort(object.properties, {}, &Property::name);
    object.required = static_cast<std::size_t>(std::ranges::count(object.properties, true, &Property::required));
  }
  if (!node().in_place) return;
  // A branch said twice is the same branch (not so in oneOf).
  for (auto* branches : {&node().in_place->all_of, &node().in_place->any_of}) {
    std::set<NodeId> seen;
    std::erase_if(*branches, [&seen](NodeId id) { return !seen.insert(id).second; });
  }
}

bool Compiler::node_for(const Place& place, NodeId& out) {
  const auto known = nodes_.find(place.id());
  if (known != nodes_.end()) {
    out = known->second;
    return true;
  }
  if (out_.nodes.size() >= limits_.nodes_max) return malformed("too many subschemas");
  out = static_cast<NodeId>(out_.nodes.size());
  nodes_.emplace(place.id(), out);
  out_.nodes.emplace_back();
  queue_.emplace_back(place, out);
  return true;
}

bool Compiler::subschema(json::Value value, NodeId& out) {
  if (!value.is_object() && !value.is_bool()) return malformed("a schema is an object or a boolean");
  return node_for({place_.document, value}, out);
}

bool Compiler::subschemas(json::Value value, std::vector<NodeId>& out) {
  if (!value.is_array()) return malformed("an array of schemas is expected");
  for (const json::Value element : value.elements()) {
    out.push_back(kNone);
    if (!subschema(element, out.back())) return false;
  }
  return true;
}

bool Compiler::malformed(std::string_view what) {
  error_ = {Code::config, "schema: " + std::string(what) + " (at \"" + registry_.pointer(place_) + "\")"};
  return false;
}

}  // namespace sallyport::schema
