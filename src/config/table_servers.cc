// The part of the table for `servers`: one entry of the list.
#include "config/assign.h"
#include "config/table.h"
#include "config/values.h"

namespace sallyport::config {
namespace {

void add_launch(std::vector<ServerRow>& t) {
  t.push_back({{.path = "name", .type = Type::text, .fallback = "", .min = 1, .max = 32, .doc = "Name of the server: a-z, 0-9, '_' and '-'.", .check = check_server_name}, SP_INTO(name)});
  t.push_back({{.path = "transport", .type = Type::choice, .fallback = "stdio", .choices = {"stdio", "http"}, .doc = "stdio: a program the gateway starts; http: a Streamable HTTP endpoint."}, SP_INTO(transport)});
  t.push_back({{.path = "command", .type = Type::list, .fallback = "", .max = 4096, .doc = "stdio: the program by its absolute path, then its arguments, one item each; no shell reads it."}, SP_INTO(command)});
  t.push_back({{.path = "working_directory", .type = Type::text, .fallback = "", .max = 4096, .doc = "stdio: where it runs; empty: a private empty folder."}, SP_INTO(working_directory)});
  t.push_back({{.path = "env", .type = Type::map, .fallback = "", .max = 4096, .doc = "stdio: its environment, beside a minimal one; secrets as references."}, SP_INTO(env)});
  t.push_back({{.path = "paths", .type = Type::list, .fallback = "", .max = 4096, .doc = "stdio: folders shown inside the sandbox, 'ro:/path' or 'rw:/path'.", .check = check_folder_rule}, SP_INTO(paths)});
  t.push_back({{.path = "network", .type = Type::boolean, .fallback = "false", .doc = "stdio: it may reach the network."}, SP_INTO(network)});
  t.push_back({{.path = "url", .type = Type::text, .fallback = "", .max = 2048, .doc = "http: the endpoint.", .check = check_http_url}, SP_INTO(url)});
  t.push_back({{.path = "headers", .type = Type::map, .fallback = "", .max = 4096, .doc = "http: headers sent with each request; secrets as references."}, SP_INTO(headers)});
  t.push_back({{.path = "allow_private", .type = Type::boolean, .fallback = "false", .doc = "http: it may live at a loopback or private address."}, SP_INTO(allow_private)});
}

void add_rules(std::vector<ServerRow>& t) {
  t.push_back({{.path = "prefix", .type = Type::text, .fallback = "", .max = 32, .doc = "Prefix of its names on /mcp; default: its name; \"\" for none.", .check = check_prefix}, SP_INTO(prefix)});
  t.push_back({{.path = "shared", .type = Type::boolean, .fallback = "false", .doc = "One upstream session for all principals instead of one each."}, SP_INTO(shared)});
  t.push_back({{.path = "enabled", .type = Type::boolean, .fallback = "true", .doc = "false keeps it registered and unreachable."}, SP_INTO(enabled)});
  t.push_back({{.path = "security_level", .type = Type::integer, .fallback = "1", .min = 0, .max = 10, .doc = "Level of its tools that say nothing else; above 2 only admins execute (S0-12)."}, SP_INTO(security_level)});
  t.push_back({{.path = "required", .type = Type::list, .fallback = "", .max = 128, .doc = "Dotted permissions that each of its tools requires, such as gmail.send (S2-47)."}, SP_INTO(required)});
  t.push_back({{.path = "call_timeout_seconds", .type = Type::integer, .fallback = "30", .min = 1, .max = 300, .unit = "seconds", .doc = "Time one call is given; default: upstream.call_timeout_seconds."}, SP_INTO(call_timeout)});
  t.push_back({{.path = "start_timeout_seconds", .type = Type::integer, .fallback = "10", .min = 1, .max = 300, .unit = "seconds", .doc = "Time it is given to start; default: upstream.start_timeout_seconds."}, SP_INTO(start_timeout)});
  t.push_back({{.path = "result_bytes", .type = Type::integer, .fallback = "16777216", .min = 1024, .max = 1 << 30, .unit = "bytes", .doc = "Largest message taken from it; default: upstream.result_bytes."}, SP_INTO(result_bytes)});
}

}  // namespace

const std::vector<ServerRow>& server_table() {
  static const std::vector<ServerRow> kTable = [] {
    std::vector<ServerRow> t;
    add_launch(t);
    add_rules(t);
    return t;
  }();
  return kTable;
}

}  // namespace sallyport::config
