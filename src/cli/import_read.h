// Inside cli only: the servers of a client's own settings file, in the shapes of Claude Desktop and Cursor
// (`mcpServers`) and VS Code (`servers`, `mcp.servers`; comments and trailing commas). Pure: reads text, starts
// nothing.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace sallyport::cli {

struct ImportedServer {
  std::string client_name;  // as the file calls it
  std::string name;         // as Sallyport will: [a-z0-9][a-z0-9_-]{0,31}
  bool http = false;
  std::vector<std::string> command;
  std::string working_directory;
  std::map<std::string, std::string> env;
  std::string url;
  std::map<std::string, std::string> headers;
  std::vector<std::string> paths;
  bool network = false;
  std::string skip;                // why it is not imported; empty: it is
  std::vector<std::string> notes;  // for people
};

struct ClientFile {
  enum class Shape : unsigned char { mcp_servers, vscode };
  Shape shape = Shape::mcp_servers;
  std::vector<ImportedServer> servers;
};

// JSON without `//` and `/* */` comments, trailing commas and byte order mark. Strings stay as they are.
std::string strip_json_comments(std::string_view text);

Result<ClientFile> read_client_file(std::string_view text);

}  // namespace sallyport::cli
