#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

namespace sallyport::config {
namespace {

constexpr std::size_t kBytesMax = 1U << 20;
constexpr std::size_t kDepthMax = 16;
constexpr std::size_t kNodesMax = 50'000;

// Thrown out of yaml-cpp's parser and caught in read_yaml: it has no other way to stop.
struct Refused {
  int line;
  std::string reason, fix;
};

// Builds the tree from events: of all interfaces of yaml-cpp only this one shows aliases and doubled keys.
class Builder final : public YAML::EventHandler {
 public:
  Node root;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) throw Refused{line(mark), "a second document", "keep one document, without '---'"};
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& /*name*/) override { refuse_anchor(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { refuse_anchor(mark); }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { place(mark, {}); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    check_tag(mark, tag);
    Node node;
    node.kind = Node::Kind::scalar;
    node.quoted = tag == "!";
    node.text = value;
    if (!node.quoted && (value.empty() || value == "~" || value == "null")) node.kind = Node::Kind::null;
    place(mark, std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, Node::Kind::list);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, Node::Kind::map);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    std::string key;
    int key_line = 1;
    bool has_key = false;
  };

  static int line(const YAML::Mark& mark) { return mark.line + 1; }

  [[noreturn]] static void refuse_anchor(const YAML::Mark& mark) {
    throw Refused{line(mark), "anchors and aliases are not read", "write the value out where it is used"};
  }

  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw Refused{line(mark), "tags such as " + tag.substr(0, 40) + " are not read", "remove the tag"};
  }

  void open(const YAML::Mark& mark, const std::string& tag, Node::Kind kind) {
    check_tag(mark, tag);
    if (stack_.size() >= kDepthMax) throw Refused{line(mark), "nested too deeply", "keep to 16 levels"};
    if (!stack_.empty() && stack_.back().node.is(Node::Kind::map) && !stack_.back().has_key) refuse_key(line(mark));
    Open entry;
    entry.node.kind = kind;
    entry.node.line = line(mark);
    stack_.push_back(std::move(entry));
  }

  void close() {
    Node done = std::move(stack_.back().node);
    stack_.pop_back();
    attach(std::move(done));
  }

  void place(const YAML::Mark& mark, Node node) {
    node.line = line(mark);
    attach(std::move(node));
  }

  [[noreturn]] static void refuse_key(int at) { throw Refused{at, "a key is no plain name", "write NAME: value"}; }

  void attach(Node node) {
    if (++nodes_ > kNodesMax) throw Refused{node.line, "too many values", "keep to 50,000"};
    if (stack_.empty()) {
      root = std::move(node);
      return;
    }
    Open& top = stack_.back();
    if (top.node.is(Node::Kind::list)) {
      top.node.items.push_back(std::move(node));
    } else if (!top.has_key) {
      take_key(top, node);
    } else {
      top.node.entries.push_back({std::move(top.key), top.key_line, std::move(node)});
      top.has_key = false;
    }
  }

  static void take_key(Open& top, const Node& key) {
    if (!key.is(Node::Kind::scalar)) refuse_key(key.line);
    const auto same = std::ranges::find(top.node.entries, key.text, &Entry::key);
    if (same != top.node.entries.end()) {
      throw Refused{
          key.line,
          "the key '" + key.text.substr(0, 64) + "' stands twice, first in line " + std::to_string(same->line),
          "keep one of them"};
    }
    top.key = key.text;
    top.key_line = key.line;
    top.has_key = true;
  }

  std::vector<Open> stack_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

}  // namespace

Node read_yaml(std::string_view text, Mistakes& mistakes) {
  Builder builder;
  if (text.size() > kBytesMax) {
    mistakes.at(1, "", "the file is larger than 1 MiB", "keep only settings in it");
    return {};
  }
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {}
  } catch (const Refused& refused) {
    mistakes.at(refused.line, "", refused.reason, refused.fix);
  } catch (const YAML::Exception& error) {
    mistakes.at(error.mark.line + 1, "", "not valid YAML: " + error.msg, "check indentation, quotes and colons there");
  } catch (const std::exception&) { mistakes.at(1, "", "not readable as YAML", "check that it is UTF-8 text"); }
  return std::move(builder.root);
}

}  // namespace sallyport::config
