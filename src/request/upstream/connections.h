// The ways to speak to a server, and the one place where a class is chosen for each. Pure; any thread.
#pragma once

#include <functional>
#include <memory>

#include "model/server.h"
#include "request/upstream/connection.h"
#include "request/upstream/deps.h"
#include "request/upstream/settings.h"

namespace sallyport::upstream {

enum class Wire : std::uint8_t {
  stdio,        // every era
  http_modern,  // 2026-07-28
  http,         // Streamable HTTP, 2025-03-26 to 2025-11-25
  http_sse,     // HTTP+SSE, 2024-11-05
};

// A connection that is not open yet. All of the arguments outlive it.
std::shared_ptr<Connection> make_connection(Wire wire, Executor executor, const Deps& deps, const Settings& settings,
                                            const ServerPtr& server, Unsolicited unsolicited);

using ConnectionFactory = std::function<std::shared_ptr<Connection>(Wire)>;

}  // namespace sallyport::upstream
