// Internal to schema: one validation of one instance. Recursive, with both the depth and the work counted; when either
// runs out everything fails at once, and validate() refuses with the keyword "budget".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engines/schema/program.h"

namespace sallyport::schema {

// Which members or elements of one instance some keyword has looked at ("evaluated", Core 11), by their order.
class Evaluated {
 public:
  explicit Evaluated(std::size_t size) : seen_(size, false) {}
  void mark(std::size_t i) { seen_[i] = true; }
  void mark_all() { seen_.assign(seen_.size(), true); }
  [[nodiscard]] bool has(std::size_t i) const { return seen_[i]; }
  void merge(const Evaluated& other) {
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      if (other.seen_[i]) seen_[i] = true;
    }
  }

 private:
  std::vector<bool> seen_;
};

class Validator {
 public:
  Validator(const Program& program, json::Value instance);
  [[nodiscard]] std::optional<Violation> run();

 private:
  // Where in the instance we are; one link a level, on the stack.
  struct Path {
    const Path* parent;
    std::string_view key;
    std::size_t index;
    bool is_key;
  };
  // No messages while it lives: for branches that may fail.
  struct Quiet {
    explicit Quiet(Validator& validator) : owner(validator) { ++owner.quiet_; }
    ~Quiet() { --owner.quiet_; }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;
    Validator& owner;
  };

  bool apply(NodeId id, json::Value value, const Path* path, Evaluated* evaluated);
  bool apply_rules(const Node& node, json::Value value, const Path* path, Evaluated* evaluated);
  // Without a message, for branches that may fail; what they evaluated counts only if they hold.
  bool holds(NodeId id, json::Value value, const Path* path, Evaluated* evaluated);

  bool type(const Node& node, json::Value value, const Path* path);
  bool choices(const Node& node, json::Value value, const Path* path);
  bool number(const NumberRules& rules, json::Value value, const Path* path);
  bool string(const StringRules& rules, json::Value value, const Path* path);
  bool array(const ArrayRules& rules, json::Value value, const Path* path, Evaluated* evaluated);
  bool contains(const ArrayRules& rules, json::Value value, const Path* path, Evaluated* evaluated);
  bool unique(json::Value value, const Path* path);
  bool object(const ObjectRules& rules, json::Value value, const Path* path, Evaluated* evaluated);
  bool members(const ObjectRules& rules, json::Value value, const Path* path, Evaluated* evaluated);
  bool member(const ObjectRules& rules, const Property* property, json::Member member, const Path* path, bool& known);
  bool missing(const ObjectRules& rules, json::Value value, const Path* path);
  bool name(const ObjectRules& rules, json::Value name, const Path* path);
  bool dependents(const ObjectRules& rules, json::Value value, const Path* path, Evaluated* evaluated);
  bool in_place(const InPlace& in, json::Value value, const Path* path, Evaluated* evaluated);
  bool any_of(const InPlace& in, json::Value value, const Path* path, Evaluated* evaluated);
  bool one_of(const InPlace& in, json::Value value, const Path* path, Evaluated* evaluated);
  bool conditional(const InPlace& in, json::Value value, const Path* path, Evaluated* evaluated);
  bool unevaluated(const Node& node, json::Value value, const Path* path, Evaluated& evaluated);
  [[nodiscard]] NodeId dynamic_target(const InPlace& in) const;

  // Counts `steps`; false when there are none left.
  bool spend(std::uint64_t steps);
  bool refuse(const Path* path, std::string_view keyword, std::string message);

  const Program& program_;
  const json::Value instance_;
  std::uint64_t steps_left_;
  unsigned depth_ = 0;
  unsigned quiet_ = 0;
  bool exhausted_ = false;
  std::vector<std::uint32_t> scope_;  // schema resources entered, outermost first
  std::optional<Violation> violation_;
};

}  // namespace sallyport::schema
