// From the tree of the file to values by path.
#include <algorithm>
#include <set>

#include "config/sources.h"
#include "config/values.h"

namespace sallyport::config {
namespace {

std::string join(std::string_view prefix, std::string_view key) {
  return prefix.empty() ? std::string(key) : std::string(prefix) + "." + std::string(key);
}

const Row* find_row(std::string_view path) {
  const auto row = std::ranges::find(table(), path, &Row::path);
  return row == table().end() ? nullptr : &*row;
}

// The names that may stand directly under `prefix`.
std::vector<std::string> children(std::string_view prefix) {
  std::set<std::string> names;
  const std::string start = prefix.empty() ? "" : std::string(prefix) + ".";
  for (const Row& row : table()) {
    if (!row.path.starts_with(start)) continue;
    const std::string rest = row.path.substr(start.size());
    names.insert(rest.substr(0, rest.find('.')));
  }
  if (prefix.empty()) names.insert("servers");
  return {names.begin(), names.end()};
}

std::vector<std::string> all_paths() {
  std::vector<std::string> out;
  for (const Row& row : table()) out.push_back(row.path);
  return out;
}

class Reader {
 public:
  Reader(GivenValues& given, std::vector<FileServer>& servers, Mistakes& mistakes)
      : given_(given), servers_(servers), mistakes_(mistakes) {}

  void section(const Node& node, const std::string& prefix) {
    if (node.is(Node::Kind::null)) return;
    if (!node.is(Node::Kind::map)) {
      mistakes_.at(node.line, prefix, "wrong type: a section of settings is expected", "write NAME: value pairs");
      return;
    }
    const std::vector<std::string> known = children(prefix);
    for (const Entry& entry : node.entries) member(entry, prefix, known);
  }

 private:
  void member(const Entry& entry, const std::string& prefix, const std::vector<std::string>& known) {
    const std::string path = join(prefix, entry.key);
    if (path == "servers") return list_of_servers(entry.value);
    if (std::ranges::find(known, entry.key) == known.end()) {
      return refuse_unknown(prefix, entry, known, all_paths(), mistakes_);
    }
    const Row* row = find_row(path);
    if (row == nullptr) return section(entry.value, path);
    ReadValue read = value_of_node(*row, entry.value);
    if (const Wrong* wrong = std::get_if<Wrong>(&read)) {
      mistakes_.at(entry.line, path, wrong->reason, wrong->fix);
    } else {
      given_[path] = {std::get<Value>(std::move(read)), mistakes_.source(entry.line)};
    }
  }

  void list_of_servers(const Node& node) {
    if (node.is(Node::Kind::null)) return;
    if (!node.is(Node::Kind::list)) {
      mistakes_.at(node.line, "servers", "wrong type: a list of servers is expected", "write '- name: ...' for each");
      return;
    }
    for (const Node& item : node.items) servers_.push_back(read_server(item, mistakes_));
  }

  GivenValues& given_;
  std::vector<FileServer>& servers_;
  Mistakes& mistakes_;
};

}  // namespace

void refuse_unknown(std::string_view prefix, const Entry& entry, const std::vector<std::string>& known,
                    const std::vector<std::string>& elsewhere, Mistakes& mistakes) {
  std::string fix;
  const std::string near = nearest(entry.key, known);
  if (!near.empty()) {
    fix = "did you mean '" + near + "'?";
  } else {
    for (const std::string& path : elsewhere) {
      if (path.ends_with("." + entry.key)) fix = "did you mean '" + path + "'?";
    }
  }
  if (fix.empty()) {
    for (const std::string& name : known) fix += (fix.empty() ? "remove it; known here: " : ", ") + name;
  }
  mistakes.at(entry.line, join(prefix, entry.key.substr(0, 64)), "unknown key", fix);
}

namespace {

// `prefix`: of a section inside the entry, "tls.".
void read_server_entries(const Node& node, const std::string& prefix, FileServer& server, Mistakes& mistakes) {
  std::set<std::string> known;
  for (const ServerRow& row : server_table()) {
    if (!row.path.starts_with(prefix)) continue;
    const std::string rest = row.path.substr(prefix.size());
    known.insert(rest.substr(0, rest.find('.')));
  }
  for (const Entry& entry : node.entries) {
    const std::string path = prefix + entry.key;
    const auto row = std::ranges::find(server_table(), path, &ServerRow::path);
    const bool dotted = entry.key.find('.') != std::string::npos;  // else a key could stand twice
    if (dotted || row == server_table().end()) {
      if (known.contains(entry.key) && entry.value.is(Node::Kind::map)) {
        read_server_entries(entry.value, path + ".", server, mistakes);
      } else if (known.contains(entry.key)) {
        mistakes.at(entry.line, "servers." + path, "wrong type: a section of settings is expected",
                    "write NAME: value pairs");
      } else {
        const std::string under = prefix.empty() ? "" : "." + prefix.substr(0, prefix.size() - 1);
        refuse_unknown("servers" + under, entry, {known.begin(), known.end()}, {}, mistakes);
      }
      continue;
    }
    ReadValue read = value_of_node(*row, entry.value);
    if (const Wrong* wrong = std::get_if<Wrong>(&read)) {
      mistakes.at(entry.line, "servers." + path, wrong->reason, wrong->fix);
      continue;
    }
    row->apply(server.setting, std::get<Value>(read));
    server.given[path] = {std::get<Value>(std::move(read)), mistakes.source(entry.line)};
  }
}

}  // namespace

FileServer read_server(const Node& node, Mistakes& mistakes) {
  FileServer server;
  server.setting.line = node.line;
  if (!node.is(Node::Kind::map)) {
    mistakes.at(node.line, "servers", "wrong type: an entry is no map", "write '- name: ...' with its settings below");
    return server;
  }
  read_server_entries(node, "", server, mistakes);
  if (!server.given.contains("prefix")) server.setting.prefix = server.setting.name;
  return server;
}

void read_file(const Node& root, GivenValues& given, std::vector<FileServer>& servers, Mistakes& mistakes) {
  Reader(given, servers, mistakes).section(root, "");
}

}  // namespace sallyport::config
