#include "storage/servers.h"

#include "storage/items.h"

namespace sallyport::storage {

Result<void> put_server(Sqlite& db, const ServerRecord& server) {
  ItemList items;
  items.add("command", server.command);
  items.add("env", server.env);
  items.add("path", server.paths);
  items.add("header", server.headers);
  items.add("query", server.query);
  items.add("file", server.files);
  items.add("required", server.required);
  items.add("forward", server.forwards);
  items.add("label", server.labels);
  items.add("label away", server.labels_away);
  items.add("tls pin", server.tls.pins);
  if (server.tls.any()) {
    items.add("tls", std::map<std::string, std::string>{{"ca", server.tls.ca},
                                                        {"client_certificate", server.tls.client_certificate},
                                                        {"client_key", server.tls.client_key}});
  }
  SP_CHECK(db.run("put server",
                  "INSERT INTO servers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
                  "transport = excluded.transport, working_directory = excluded.working_directory, "
                  "network = excluded.network, url = excluded.url, allow_private = excluded.allow_private, "
                  "prefix = excluded.prefix, shared = excluded.shared, enabled = excluded.enabled, "
                  "security_level = excluded.security_level, call_timeout_ms = excluded.call_timeout_ms, "
                  "start_timeout_ms = excluded.start_timeout_ms, result_bytes_max = excluded.result_bytes_max",
                  server.name, server.transport == Transport::http ? "http" : "stdio", server.working_directory,
                  server.network, server.url, server.allow_private, server.prefix, server.shared, server.enabled,
                  std::int64_t{server.security_level}, std::int64_t{server.call_timeout.count()},
                  std::int64_t{server.start_timeout.count()}, static_cast<std::int64_t>(server.result_bytes_max)));
  return replace_items(db, kServerItems, server.name, items);
}

}  // namespace sallyport::storage
