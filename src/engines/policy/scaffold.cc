#include "engines/policy/scaffold.h"

#include <algorithm>

#include "engines/policy/policy.h"
#include "engines/policy/rego_text.h"
#include "engines/policy/scaffold_arguments.h"
#include "json/document.h"

namespace sallyport::policy {
namespace {

constexpr std::size_t kBytesMax = 1U << 20;  // of a file, in regorus
constexpr std::size_t kLinesMax = 19'000;
constexpr std::size_t kWidth = 100;
constexpr std::size_t kDescriptionLines = 4;

constexpr std::string_view kHead =
    "# Written by `sallyport policy scaffold` from the tools that are approved. Until you change it, it decides as the "
    "policy that\n"
    "# ships with Sallyport does, which is the first part of it. Behind that stands a section for each tool. What a "
    "tool server says\n"
    "# of its tools (titles, descriptions, hints, arguments) is marked untrusted: it may be wrong, and it may be meant "
    "to mislead you.\n"
    "#\n"
    "# To put an example in force: take \"#: \" away from its lines, change the values, then\n"
    "#   sallyport policy check FOLDER && sallyport policy test FOLDER --coverage\n"
    "\n";

constexpr std::string_view kTestHead =
    "# Written by `sallyport policy scaffold`, run by `sallyport policy test`: for each tool who may call it. Add a "
    "test for each rule\n"
    "# that you put in force, with arguments that it refuses and arguments that it lets pass.\n"
    "package tool_access_scaffold_test\n"
    "\n"
    "import data.tool_access\n"
    "import rego.v1\n"
    "\n"
    "request(server, tool, level, roles) := {\n"
    "\t\"action\": \"execute\",\n"
    "\t\"phase\": \"call\",\n"
    "\t\"granted\": count(roles) > 0,\n"
    "\t\"user\": {\"id\": \"user:1\", \"name\": \"u\", \"kind\": \"user\", \"roles\": roles, \"permissions\": "
    "[\"tool:read\", "
    "\"tool:execute\"]},\n"
    "\t\"server\": server,\n"
    "\t\"tool\": {\"name\": tool, \"server\": server, \"security_level\": level, \"required\": []},\n"
    "\t\"arguments\": {},\n"
    "\t\"resource\": sprintf(\"tool:%s/%s\", [server, tool]),\n"
    "}\n"
    "\n"
    "may(server, tool, level, roles) if {\n"
    "\treq := request(server, tool, level, roles)\n"
    "\ttool_access.allow with input as req\n"
    "\tcount(tool_access.deny) == 0 with input as req\n"
    "}\n"
    "\n"
    "# Administrators call everything, nobody calls without a role, users as far as the level of the tool lets them.\n"
    "as_the_level_says(server, tool, level) if {\n"
    "\tmay(server, tool, level, [\"admin\"])\n"
    "\tnot may(server, tool, level, [])\n"
    "\tuser_as_the_level_says(server, tool, level)\n"
    "}\n"
    "\n"
    "user_as_the_level_says(server, tool, level) if {\n"
    "\tlevel <= tool_access.max_level\n"
    "\tmay(server, tool, level, [\"user\"])\n"
    "}\n"
    "\n"
    "user_as_the_level_says(server, tool, level) if {\n"
    "\tlevel > tool_access.max_level\n"
    "\tnot may(server, tool, level, [\"user\"])\n"
    "}\n";

std::string shipped_tool_access() {
  const Modules& shipped = shipped_policies();
  const auto found =
      std::ranges::find(shipped, "tool_access.rego", [](const auto& m) { return std::string_view(m.first); });
  return found == shipped.end() ? std::string() : found->second;
}

// A heading, which never begins a line with what somebody else wrote.
void section(std::string& out, std::string_view what) { out.append("\n# ---- ").append(what).append(" ----\n"); }

void comment(std::string& out, std::string_view label, std::string_view text, std::size_t lines = 1) {
  while (!text.empty() && lines-- > 0) {
    const bool last = lines == 0;
    std::size_t cut = last ? text.size() : std::min(text.size(), kWidth);
    while (cut < text.size() && (static_cast<unsigned char>(text[cut]) & 0xc0U) == 0x80U) ++cut;
    out.append("# ").append(label).append(": ").append(comment_text(text.substr(0, cut), kWidth)).append("\n");
    text.remove_prefix(cut);
  }
}

void hints(std::string& out, json::Value definition) {
  const json::Value annotations = definition.find("annotations").value_or(json::Value());
  for (const auto& [key, value] : annotations.members()) {
    if (const auto flag = value.as_bool()) {
      comment(out, "hint (untrusted)", std::string(key) + " is " + (*flag ? "true" : "false"));
    }
  }
}

void tool_section(std::string& out, const ScaffoldTool& tool) {
  section(out, comment_text(tool.server + "/" + tool.name, kWidth));
  comment(out, "title (untrusted)", tool.title);
  comment(out, "description (untrusted)", tool.description, kDescriptionLines);
  out += "# security level " + std::to_string(tool.security_level) + "\n";
  for (const std::string& name : tool.required) comment(out, "requires", name);
  const auto definition = json::read_upstream_document(tool.definition, {.bytes_max = 16U << 20});
  const json::Value root = definition ? definition->root() : json::Value();
  hints(out, root);
  write_arguments(out, tool.server, tool.name, root.find("inputSchema").value_or(json::Value()));
}

std::string test_name(const ScaffoldTool& tool, std::size_t number) {
  constexpr std::size_t kNameMax = 60;
  std::string out = "test_" + std::to_string(number) + "_";
  for (const char c : (tool.server + "_" + tool.name).substr(0, kNameMax)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += plain ? c : '_';
  }
  return out;
}

}  // namespace

Result<Scaffold> scaffold(const std::vector<ScaffoldTool>& tools) {
  Scaffold out;
  out.policy.append(kHead).append(shipped_tool_access());
  out.tests = kTestHead;
  std::string server;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    const ScaffoldTool& tool = tools[i];
    if (i == 0 || tool.server != server) section(out.policy, "the server " + comment_text(tool.server, kWidth));
    server = tool.server;
    tool_section(out.policy, tool);
    const std::string test = test_name(tool, i + 1) + " if as_the_level_says(" + rego_string(tool.server) + ", " +
                             rego_string(tool.name) + ", " + std::to_string(tool.security_level) + ")";
    if (test.size() <= kRegoLineMax) out.tests += "\n" + test + "\n";
    const auto lines = static_cast<std::size_t>(std::ranges::count(out.policy, '\n'));
    if (out.policy.size() > kBytesMax || out.tests.size() > kBytesMax || lines > kLinesMax) {
      return fail(Code::limit, "more tools than one file of Rego holds: name one server");
    }
  }
  return out;
}

}  // namespace sallyport::policy
