// `sallyport stdio`: a client that speaks only stdio reaches the running gateway. One JSON-RPC message a line in, one a
// line out; each goes as a POST to /mcp with the key of the environment (C25). A line with a modern envelope (2026-07-28)
// is sent by itself, without a session; the others share one legacy session: the GET stream is opened once the client is
// initialized, broken streams are resumed, a new session begun when the gateway forgot the old one, DELETE ends it at the
// end of the input. Every request gets exactly one answer. One thread beside the reader of stdin.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/secret.h"

namespace sallyport::cli {

struct BridgeOptions {
  std::string url;  // "http://127.0.0.1:8000/mcp"
  std::string ca_file = {};  // who may have signed its certificate; empty: the system's (SSL_CERT_FILE)
  Secret key = {};
  int in_fd = 0;
  std::function<void(std::string_view line)> out;  // writes one line and flushes
  std::function<void(std::string_view message)> log;  // for people
};

// Runs until the input ends; the exit code.
int run_bridge(BridgeOptions options);

}  // namespace sallyport::cli
