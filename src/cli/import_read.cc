#include "cli/import_read.h"

#include <algorithm>
#include <set>

#include "json/document.h"

namespace sallyport::cli {
namespace {

constexpr std::size_t kServersMax = 200;

std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

// The position after the comment that begins at `at`; `at` where none does.
std::size_t skip_comment(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) == "//") return std::min(text.find('\n', at), text.size());
  if (text.substr(at, 2) != "/*") return at;
  const auto end = text.find("*/", at + 2);
  return end == std::string_view::npos ? text.size() : end + 2;
}

std::string sallyport_name(std::string_view client_name, std::set<std::string>& taken) {
  std::string name;
  for (const char c : client_name) {
    const char low = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    const bool good = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9');
    if (good || (!name.empty() && (low == '_' || low == '-'))) name += low;
    else if (!name.empty() && name.back() != '-') name += '-';
    if (name.size() == 28) break;
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  if (name.empty()) name = "server";
  std::string unique = name;
  for (int i = 2; !taken.insert(unique).second; ++i) unique = name + "-" + std::to_string(i);
  return unique;
}

std::map<std::string, std::string> string_map(json::Value v, ImportedServer& to) {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : v.members()) {
    if (const auto text = value.as_string()) out[std::string(key)] = *text;
    else if (value.is_number() || value.is_bool()) out[std::string(key)] = value.raw();
    else if (!value.is_null()) to.skip = std::string(key) + " is no text";
  }
  return out;
}

void read_command(json::Value v, std::string_view program, ImportedServer& to) {
  to.command.emplace_back(program);
  for (const json::Value argument : v.find("args").value_or(json::Value()).elements()) {
    if (const auto text = argument.as_string()) to.command.emplace_back(*text);
    else to.skip = "an argument is no text";
  }
  to.env = string_map(v.find("env").value_or(json::Value()), to);
  to.working_directory = v.string_at("cwd").value_or("");
  if (v.find("envFile")) to.notes.emplace_back("its envFile is not read: add what it needs with server add --env");
}

ImportedServer read_server(std::string_view name, json::Value v, std::set<std::string>& taken) {
  ImportedServer to;
  to.client_name = name;
  to.name = sallyport_name(name, taken);
  const std::string_view type = v.string_at("type").value_or(v.string_at("transport").value_or(""));
  const auto program = v.string_at("command");
  auto url = v.string_at("url");
  if (!url) url = v.string_at("serverUrl");
  if (program && !program->empty()) {
    read_command(v, *program, to);
  } else if (url && type == "sse") {
    to.skip = "the transport of 2024 (sse) arrives with a later issue";
  } else if (url) {
    to.http = true;
    to.url = *url;
    to.headers = string_map(v.find("headers").value_or(json::Value()), to);
  } else {
    to.skip = "neither a command nor a url";
  }
  if (v.find("disabled").value_or(json::Value()).as_bool() == true) to.skip = "disabled in the client";
  return to;
}

}  // namespace

std::string strip_json_comments(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string out;
  std::size_t comma = std::string::npos;  // of `out`: a comma with nothing but blanks behind it so far
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t end = skip_comment(text, at); end != at) {
      at = end;
      continue;
    }
    const char c = text[at];
    const std::size_t end = c == '"' ? skip_string(text, at) : at + 1;
    if ((c == '}' || c == ']') && comma != std::string::npos) out.erase(comma, 1);
    if (c == ',') comma = out.size();
    else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') comma = std::string::npos;
    out.append(text.substr(at, end - at));
    at = end;
  }
  return out;
}

Result<ClientFile> read_client_file(std::string_view text) {
  const auto document = json::read(strip_json_comments(text), {.bytes_max = 4U << 20});
  if (!document) return fail(Code::parse_error, "not readable as JSON: " + document.error().detail);
  const json::Value root = document->root();
  ClientFile out;
  auto found = root.find("mcpServers");
  if (!found) {
    out.shape = ClientFile::Shape::vscode;
    found = root.find("servers");
  }
  if (const auto mcp = root.find("mcp"); !found && mcp) found = mcp->find("servers");
  if (!found || !found->is_object()) {
    return fail(Code::parse_error,
                "there is neither 'mcpServers' (Claude Desktop, Cursor) nor 'servers' (VS Code) in it");
  }
  if (found->size() > kServersMax) return fail(Code::limit, "more than 200 servers");
  std::set<std::string> taken;
  for (const auto& [name, value] : found->members()) out.servers.push_back(read_server(name, value, taken));
  return out;
}

}  // namespace sallyport::cli
