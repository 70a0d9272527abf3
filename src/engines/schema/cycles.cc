#include "engines/schema/program.h"

namespace sallyport::schema {
namespace {

void append(std::vector<NodeId>& out, NodeId node) {
  if (node != kNone) out.push_back(node);
}

// What is applied to the same instance when `node` is.
std::vector<NodeId> applied_in_place(const Program& program, const Node& node) {
  std::vector<NodeId> out;
  if (node.object) {
    for (const auto& [name, target] : node.object->dependent_schemas) out.push_back(target);
  }
  if (!node.in_place) return out;
  const InPlace& in = *node.in_place;
  for (const auto* list : {&in.all_of, &in.any_of, &in.one_of}) out.insert(out.end(), list->begin(), list->end());
  for (const NodeId id : {in.negated, in.condition, in.then, in.otherwise, in.dynamic_target}) append(out, id);
  if (!in.dynamic_name.empty()) {
    for (const auto& [key, target] : program.dynamic_anchors) {
      if (key.second == in.dynamic_name) out.push_back(target);
    }
  }
  return out;
}

}  // namespace

// Depth first without recursion: a schema may be one long chain.
bool has_reference_cycle(const Program& program) {
  enum class Mark : std::uint8_t { fresh, open, done };
  struct Visit {
    NodeId node;
    std::vector<NodeId> targets;
    std::size_t next = 0;
  };
  std::vector<Mark> marks(program.nodes.size(), Mark::fresh);
  std::vector<Visit> stack;
  const auto enter = [&](NodeId node) {
    marks[node] = Mark::open;
    stack.push_back({node, applied_in_place(program, program.nodes[node])});
  };
  for (NodeId start = 0; start < program.nodes.size(); ++start) {
    if (marks[start] == Mark::fresh) enter(start);
    while (!stack.empty()) {
      Visit& visit = stack.back();
      if (visit.next == visit.targets.size()) {
        marks[visit.node] = Mark::done;
        stack.pop_back();
        continue;
      }
      const NodeId target = visit.targets[visit.next++];
      if (marks[target] == Mark::open) return true;
      if (marks[target] == Mark::fresh) enter(target);
    }
  }
  return false;
}

}  // namespace sallyport::schema
