// Keywords that apply schemas to the same instance (Core 8.2.3 and 10.2).
#include "engines/schema/validator.h"

namespace sallyport::schema {

bool Validator::in_place(const InPlace& in, json::Value value, const Path* path, Evaluated* evaluated) {
  for (const NodeId branch : in.all_of) {
    if (!apply(branch, value, path, evaluated)) return false;
  }
  if (in.dynamic_target != kNone && !(spend(scope_.size()) && apply(dynamic_target(in), value, path, evaluated)))
    return false;
  if (!in.any_of.empty() && !any_of(in, value, path, evaluated)) return false;
  if (!in.one_of.empty() && !one_of(in, value, path, evaluated)) return false;
  if (in.negated != kNone && holds(in.negated, value, path, nullptr)) {
    return refuse(path, "not", "must not fit the schema under \"not\"");
  }
  return in.condition == kNone || conditional(in, value, path, evaluated);
}

bool Validator::any_of(const InPlace& in, json::Value value, const Path* path, Evaluated* evaluated) {
  bool any = false;
  for (const NodeId branch : in.any_of) {
    any = holds(branch, value, path, evaluated) || any;
    // Who asks what was evaluated needs every branch that holds.
    if (any && evaluated == nullptr) return true;
  }
  return any || refuse(path, "anyOf", "fits none of the allowed alternatives");
}

bool Validator::one_of(const InPlace& in, json::Value value, const Path* path, Evaluated* evaluated) {
  unsigned fitting = 0;
  for (const NodeId branch : in.one_of) {
    if (!holds(branch, value, path, evaluated)) continue;
    if (++fitting > 1) return refuse(path, "oneOf", "fits more than one of the alternatives that exclude each other");
  }
  return fitting == 1 || refuse(path, "oneOf", "fits none of the allowed alternatives");
}

bool Validator::conditional(const InPlace& in, json::Value value, const Path* path, Evaluated* evaluated) {
  const NodeId branch = holds(in.condition, value, path, evaluated) ? in.then : in.otherwise;
  return branch == kNone || apply(branch, value, path, evaluated);
}

// The outermost resource in the dynamic scope that has the anchor (Core 8.2.3.2).
NodeId Validator::dynamic_target(const InPlace& in) const {
  for (const std::uint32_t resource : scope_) {
    const auto found = program_.dynamic_anchors.find({resource, in.dynamic_name});
    if (found != program_.dynamic_anchors.end()) return found->second;
  }
  return in.dynamic_target;
}

}  // namespace sallyport::schema
