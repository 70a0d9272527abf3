// Internal to schema: turns the schema objects into the nodes of a Program, one by one from a queue, so that neither
// long chains of references nor wide schemas cost stack.
#pragma once

#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engines/schema/program.h"
#include "engines/schema/registry.h"

namespace sallyport::schema {

class Compiler {
 public:
  Compiler(const CompileLimits& limits, Program& out) : limits_(limits), registry_(limits), out_(out) {}
  [[nodiscard]] Result<void> run(std::string_view text);

 private:
  using Handler = bool (Compiler::*)(std::string_view keyword, json::Value value);
  struct Rule {
    std::string_view keyword;
    Handler handler;
    bool validation;  // belongs to the validation vocabulary
  };
  static const std::vector<Rule>& rules();

  bool compile_pending();
  bool compile_node();
  bool compile_dynamic_anchors();
  void finish_node();

  bool type(std::string_view, json::Value value);
  bool choices(std::string_view keyword, json::Value value);
  bool bound(std::string_view keyword, json::Value value);
  bool multiple_of(std::string_view, json::Value value);
  bool count(std::string_view keyword, json::Value value);
  bool pattern(std::string_view, json::Value value);
  bool unique_items(std::string_view, json::Value value);
  bool required(std::string_view, json::Value value);
  bool properties(std::string_view, json::Value value);
  bool pattern_properties(std::string_view, json::Value value);
  bool object_schema(std::string_view keyword, json::Value value);
  bool dependencies(std::string_view keyword, json::Value value);
  bool items(std::string_view keyword, json::Value value);
  bool array_schema(std::string_view keyword, json::Value value);
  bool list(std::string_view keyword, json::Value value);
  bool in_place_schema(std::string_view keyword, json::Value value);
  bool reference(std::string_view keyword, json::Value value);
  bool unevaluated(std::string_view keyword, json::Value value);

  bool strings(json::Value value, std::vector<std::string>& out);
  std::shared_ptr<const re2::RE2> regex(std::string_view text);
  bool subschema(json::Value value, NodeId& out);
  bool subschemas(json::Value value, std::vector<NodeId>& out);
  bool node_for(const Place& place, NodeId& out);
  bool malformed(std::string_view what);
  Property& property(std::string_view name);

  // The node being compiled; its rules are made when first asked for.
  Node& node() { return out_.nodes[current_]; }
  template <class T>
  static T& made(std::unique_ptr<T>& rules) {
    if (!rules) rules = std::make_unique<T>();
    return *rules;
  }

  const CompileLimits& limits_;
  Registry registry_;
  Program& out_;
  std::deque<std::pair<Place, NodeId>> queue_;
  std::unordered_map<std::uint64_t, NodeId> nodes_;
  std::unordered_map<std::string, std::shared_ptr<const re2::RE2>> regexes_;
  std::set<std::string> dynamic_names_;
  Error error_;

  Place place_;
  NodeId current_ = 0;
  std::uint32_t resource_ = 0;
  bool draft7_ = false;
  bool array_items_ = false;  // `items` is an array: additionalItems counts
  std::unordered_map<std::string_view, std::size_t> property_index_;
};

}  // namespace sallyport::schema
