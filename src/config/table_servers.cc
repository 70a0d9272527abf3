// The part of the table for `servers`: one entry of the list.
#include "config/add_row.h"

namespace sallyport::config {
namespace {

void add_launch(Add<ServerSetting> add) {
  add.text("name", "", {1, 32, check_server_name}, "Name of the server: a-z, 0-9, '_' and '-'.", SP_INTO(name));
  add.choice("transport", "stdio", {"stdio", "http"},
             "stdio: a program the gateway starts; http: a Streamable HTTP endpoint.", SP_INTO(transport));
  add.list("command", "", {0, 4096, nullptr},
           "stdio: the program by its absolute path, then its arguments, one item each; no shell reads it.",
           SP_INTO(command));
  add.text("working_directory", "", {0, 4096, nullptr}, "stdio: where it runs; empty: a private empty folder.",
           SP_INTO(working_directory));
  add.map("env", 4096, "stdio: its environment, beside a minimal one; secrets as references.", SP_INTO(env));
  add.list("paths", "", {0, 4096, check_folder_rule},
           "stdio: folders shown inside the sandbox, 'ro:/path' or 'rw:/path'.", SP_INTO(paths));
  add.flag("network", false, "stdio: it may reach the network.", SP_INTO(network));
  add.text("url", "", {0, 2048, check_http_url}, "http: the endpoint.", SP_INTO(url));
  add.map("headers", 4096, "http: headers sent with each request; secrets as references.", SP_INTO(headers));
  add.map("query", 4096, "http: parameters behind the URL, for secrets that it takes no other way; as references.",
          SP_INTO(query));
  add.map("files", 4096,
          "stdio: variables of its environment that name files in memory; what the files hold, as references.",
          SP_INTO(files));
  add.flag("allow_private", false, "http: it may live at a loopback or private address.", SP_INTO(allow_private));
}

void add_server_tls(Add<ServerSetting> add) {
  add.text("tls.ca", "", {0, 4096, check_pem_path},
           "http: the authorities that may vouch for it, in place of the system's: the absolute path of a PEM file.",
           SP_INTO(tls.ca));
  add.list("tls.pins", "", {0, 51, check_pin},
           "http: keys, one of which is in its chain: sha256/ and the base64 of the SHA-256 of a SubjectPublicKeyInfo "
           "(RFC 7469 2.4).",
           SP_INTO(tls.pins));
  add.text("tls.client_certificate", "", {0, 4096, check_pem_path},
           "http: the certificate it is shown, leaf first: the absolute path of a PEM file.",
           SP_INTO(tls.client_certificate));
  add.text("tls.client_key", "", {0, 4096, check_key_reference},
           "http: the key of that certificate: ${file:PATH} or ${vault:NAME}.", SP_INTO(tls.client_key));
}

void add_rules(Add<ServerSetting> add) {
  add.text("prefix", "", {0, 32, check_prefix}, "Prefix of its names on /mcp; default: its name; \"\" for none.",
           SP_INTO(prefix));
  add.flag("shared", false, "One upstream session for all principals instead of one each.", SP_INTO(shared));
  add.flag("enabled", true, "false keeps it registered and unreachable.", SP_INTO(enabled));
  add.integer("security_level", 1, {0, 10, ""},
              "Level of its tools that say nothing else; above 2 only admins execute (S0-12).",
              SP_INTO(security_level));
  add.list("required", "", {0, 128, nullptr},
           "Dotted permissions that each of its tools requires, such as gmail.send (S2-47).", SP_INTO(required));
  add.list("labels", "", {0, 32, check_label},
           "What a call of any of its tools leaves with its caller: private_data, untrusted_content; or what they are: "
           "external_sink. Names of your own too.",
           SP_INTO(labels));
  add.list(
      "forwards", "elicitation,sampling", {0, 32, check_forward},
      "What it may ask the client behind a call: elicitation, sampling, roots; [] for nothing. Roots only for a server "
      "whose folders a client may replace.",
      SP_INTO(forwards));
  add.integer("call_timeout_seconds", 30, {1, 300, "seconds"},
              "Time one call is given; default: upstream.call_timeout_seconds.", SP_INTO(call_timeout));
  add.integer("start_timeout_seconds", 10, {1, 300, "seconds"},
              "Time it is given to start; default: upstream.start_timeout_seconds.", SP_INTO(start_timeout));
  add.integer("result_bytes", 16777216, {1024, 1 << 30, "bytes"},
              "Largest message taken from it; default: upstream.result_bytes.", SP_INTO(result_bytes));
}

}  // namespace

const std::vector<ServerRow>& server_table() {
  static const std::vector<ServerRow> kTable = [] {
    std::vector<ServerRow> rows;
    const Add<ServerSetting> add(rows);
    add_launch(add);
    add_server_tls(add);
    add_rules(add);
    return rows;
  }();
  return kTable;
}

}  // namespace sallyport::config
