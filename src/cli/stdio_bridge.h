// `sallyport stdio`: a client that speaks only stdio reaches the running gateway. One JSON-RPC message a line in, one a
// line out; each goes as a POST to /mcp with the key of the environment (C25). Keeps the session, opens the GET stream
// once the client is initialized, begins a new session when the gateway forgot the old one, ends it with DELETE at the
// end of the input. One thread beside the reader of stdin.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/secret.h"

namespace sallyport::cli {

struct BridgeOptions {
  std::string url;  // "http://127.0.0.1:8000/mcp"
  Secret key;
  int in_fd = 0;
  std::function<void(std::string_view line)> out;  // writes one line and flushes
  std::function<void(std::string_view message)> log;  // for people
};

// Runs until the input ends; the exit code.
int run_bridge(BridgeOptions options);

}  // namespace sallyport::cli
